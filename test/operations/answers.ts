import type { BalancedServer } from "../../src/facts/haproxy";
import type { ClusterView } from "../../src/facts/patroni";
import {
  assembleStatus,
  type ClusterStatus,
  type HostAnswer,
  type StatusPlan,
} from "../../src/operations/status";

// What the hosts of the lab's cluster answer when all is well, to be varied by tests.

export const PLAN: StatusPlan = {
  name: "demo",
  patroni: {
    members: { db1: "10.89.0.11:8008", db2: "10.89.0.12:8008", db3: "10.89.0.13:8008" },
    port: 5432,
    synchronous: { role: "sync_standby", count: 1 },
  },
  dcs: {
    kind: "etcd",
    members: {
      db1: "http://10.89.0.11:2379",
      db2: "http://10.89.0.12:2379",
      db3: "http://10.89.0.13:2379",
    },
  },
  entryPoint: { hosts: ["lb1", "lb2"], vips: ["10.89.0.100"], statsPort: 7000 },
  ownDcs: [],
  firewalls: ["db1", "db2", "db3", "lb1", "lb2"].map((host) => ({ host })),
};

export const AT = new Date("2026-11-21T22:38:16.123Z");

const ROLES = { db1: "leader", db2: "sync_standby", db3: "replica" } as const;

export function view(roles: { readonly [member: string]: string } = ROLES): ClusterView {
  return {
    paused: false,
    members: Object.entries(roles).map(([name, role]) => ({
      name,
      role,
      state: role === "leader" ? "running" : "streaming",
      timeline: 2,
      lagBytes: role === "leader" ? undefined : 0,
      pendingRestart: false,
    })),
  };
}

/** Every member behind every entrance; up where its role is. */
export function servers(leader = "db1", synchronous = "db2", other = "db3"): BalancedServer[] {
  const up: { readonly [entrance: string]: readonly string[] } = {
    primary: [leader],
    replica: [synchronous, other],
    synchronous: [synchronous],
    asynchronous: [other],
  };
  return Object.entries(up).flatMap(([entrance, members]) =>
    ["db1", "db2", "db3"].map((server) => ({
      entrance,
      server,
      sessions: 0,
      status: members.includes(server) ? "UP" : "DOWN",
    })),
  );
}

function member(host: string): HostAnswer {
  return {
    host,
    view: view(),
    member: { pendingRestart: false, paused: false, dcsLastSeen: 1 },
    streams: {
      timeline: 2,
      standbys:
        host === "db1"
          ? [
              { name: "db2", state: "streaming", syncState: "sync", lagBytes: 0, lagSeconds: 0 },
              {
                name: "db3",
                state: "streaming",
                syncState: "async",
                lagBytes: 16384,
                lagSeconds: 0.25,
              },
            ]
          : [],
    },
    dcs: { healthy: true, leader: host === "db1", databaseBytes: 20480, alarms: [] },
  };
}

const ANSWERS: readonly HostAnswer[] = [
  member("db1"),
  member("db2"),
  member("db3"),
  { host: "lb1", servers: servers(), vipsHeld: ["10.89.0.100"] },
  { host: "lb2", servers: servers(), vipsHeld: [] },
];

/** The answers of the healthy cluster, but for some hosts'. */
export function answers(...others: HostAnswer[]): HostAnswer[] {
  return ANSWERS.map((answer) => others.find(({ host }) => host === answer.host) ?? answer);
}

/** The healthy cluster, but for what some hosts say. */
export function seen(...others: HostAnswer[]): ClusterStatus {
  return assembleStatus(PLAN, answers(...others), AT);
}

/** A host of the healthy cluster that says something else as well. */
export function says(host: string, other: Partial<HostAnswer>): HostAnswer {
  return { ...(ANSWERS.find((answer) => answer.host === host) as HostAnswer), ...other };
}

export function unreachable(host: string): HostAnswer {
  return { host, problem: `${host}: cannot be reached.` };
}

/** What the hosts say of one whose power is gone: the balancers at once, Patroni's entry of it once its lease is over. */
export function withoutPower(host: string, entry: "leased" | "expired" = "leased"): HostAnswer[] {
  const left = ANSWERS.filter((answer) => answer.host !== host).map((answer): HostAnswer => ({
    ...answer,
    ...(answer.servers && {
      servers: answer.servers.map((one) =>
        one.server === host ? { ...one, status: "DOWN" } : one,
      ),
    }),
    ...(answer.view &&
      entry === "expired" && {
        view: { ...answer.view, members: answer.view.members.filter(({ name }) => name !== host) },
      }),
    ...(answer.streams && {
      streams: {
        ...answer.streams,
        standbys: answer.streams.standbys.filter(({ name }) => name !== host),
      },
    }),
  }));
  return [unreachable(host), ...left];
}
