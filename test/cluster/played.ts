import type { LongTransaction, RunningBackup } from "../../src/facts/activity";
import type { Host, Probe } from "../../src/host/host";
import type { Cluster, OperatorPlan } from "../../src/cluster/cluster";

// A cluster of three members and a balancer, as far as it answers questions: all that operations ask it, and what they
// change in it, without a host.

export const MEMBERS = { db1: "10.89.0.11:8008", db2: "10.89.0.12:8008", db3: "10.89.0.13:8008" };

export const PLAN: OperatorPlan = {
  name: "demo",
  patroni: {
    members: MEMBERS,
    ...{ port: 5432, neverLead: [], synchronous: { role: "sync_standby", count: 1 } },
    rolling: { maximumLag: 1_000_000, longestTransaction: 15, drain: 0 },
  },
  dcs: {
    kind: "etcd",
    members: Object.fromEntries(Object.keys(MEMBERS).map((name) => [name, `http://${name}:2379`])),
  },
  entryPoint: { hosts: ["lb1"], vips: [], statsPort: 7000 },
  ownDcs: [],
  firewalls: [],
};

type Name = keyof typeof MEMBERS;

export interface Played {
  leader: Name;
  /** Whom HAProxy leads writes to. */
  writesTo: Name;
  synchronous: Name;
  /** Whether Patroni leaves the cluster to itself, as all its members know. */
  paused: boolean;
  /** What Patroni calls a member's PostgreSQL, where it is not up. */
  readonly states: { [member: string]: string };
  readonly pending: { [member: string]: boolean };
  /** What each server says waits for a restart, and what of it a restart would not change. */
  readonly marks: { pending: string[]; unchanged: string[] };
  /** What ALTER SYSTEM has set there that waits for a restart. */
  readonly altered: { [member: string]: { readonly [setting: string]: string } };
  /** Why its data's file system keeps a member's Patroni from starting. */
  readonly places: { [member: string]: string };
  /** File systems without room, as a host tells of them. */
  readonly full: { [member: string]: string };
  /** What a server says that was tried with that. */
  refusal: string;
  /** What speaks against its folders of sockets. */
  closedSockets: string;
  readonly lag: { [member: string]: number };
  readonly transactions: { [member: string]: LongTransaction[] };
  readonly backups: { [member: string]: RunningBackup[] };
  /** Whether the cluster is on its way to another DCS. */
  moving: boolean;
  /** What Patroni has said on the host that is asked. */
  journal: string;
  /** What was changed, on which host, in this order. */
  readonly done: string[];
  readonly said: string[];
  readonly cluster: Cluster;
  /** Called before each answer to a host's question. */
  asked(host: string, script: string): void;
  /** Called with each change. */
  changed(host: string, action: string, script: string): void;
}

export function played(): Played {
  const names = Object.keys(MEMBERS) as Name[];
  const state: Played = {
    ...{ leader: "db1", writesTo: "db1", synchronous: "db2", paused: false, moving: false },
    marks: { pending: [], unchanged: [] },
    ...{ journal: "", altered: {}, places: {}, full: {}, refusal: "", closedSockets: "" },
    ...{ states: {}, pending: {}, lag: {}, transactions: {}, backups: {}, done: [], said: [] },
    asked: () => undefined,
    changed: () => undefined,
    cluster: {
      plan: PLAN,
      progress: (message) => void state.said.push(message),
      host: (name) =>
        ({
          async observe<T>({ script, parse }: Probe<T>): Promise<T> {
            state.asked(name, script);
            return parse(answer(name, script));
          },
          async change(action: string, script: string) {
            state.done.push(`${name}: ${action}`);
            state.changed(name, action, script);
            return "";
          },
        }) as unknown as Host,
    },
  };
  const row = (entrance: string, server: string, up: boolean) =>
    [entrance, server, ...Array<string>(15).fill("0"), up ? "UP" : "DOWN"].join(",");
  const stateOf = (name: string) =>
    state.states[name] ?? (name === state.leader ? "running" : "streaming");
  function answer(name: string, script: string): string {
    if (script.startsWith("journalctl")) return state.journal;
    if (script.includes("/var/lib/pgherd/data-place")) return state.places[name] ?? "";
    if (script.includes("stat -f ")) return state.full[name] ?? "";
    if (script.includes("8008/cluster"))
      return JSON.stringify({
        pause: state.paused,
        members: names.map((one) => ({
          name: one,
          role:
            one === state.leader
              ? "leader"
              : one === state.synchronous
                ? "sync_standby"
                : "replica",
          state: stateOf(one),
          timeline: 1,
          lag: state.lag[one] ?? 0,
        })),
      });
    if (script.includes("8008/patroni"))
      return JSON.stringify({
        state: state.states[name] ?? "running",
        pending_restart: state.pending[name] ?? false,
        pause: state.paused,
      });
    if (script.includes("'started', (select"))
      return JSON.stringify({ files: {}, started: {}, inForce: {}, kinds: {}, ...state.marks });
    if (script.includes("'synchronousStandbyNames'")) {
      const altered = state.altered[name];
      if (!altered) return "";
      return JSON.stringify({
        ...{ errors: [], hba: "", isRead: true, pending: Object.keys(altered), altered },
        ...{ version: 17, configured: {}, overrides: [], waiting: { count: 0, seconds: 0 } },
        synchronousStandbyNames: "",
      });
    }
    if (script.includes("/etc/patroni/pgherd/10-member.yml"))
      return "postgresql:\n  data_dir: /var/lib/postgresql/17/main\n  bin_dir: /usr/lib/postgresql/17/bin\n";
    if (script.includes("/tmp/pgherd-trial")) return state.refusal;
    if (script.includes("(unix_socket_directories)")) return state.closedSockets;
    if (script.includes("/proc/meminfo") && script.includes("MemTotal")) return "memory 8388608\n";
    if (script.includes("nr_hugepages")) return "2048 100\n";
    if (script.includes("8008/primary")) return name === state.leader ? "yes\n" : "";
    if (script.includes("pg_stat_replication")) {
      const standbys = names
        .filter((one) => one !== state.leader && stateOf(one) === "streaming")
        .map((one) => ({
          ...{ name: one, state: "streaming", syncState: "async" },
          lagBytes: state.lag[one] ?? 0,
        }));
      return JSON.stringify({ timeline: 1, standbys: name === state.leader ? standbys : [] });
    }
    if (script.includes(btoa("/service/demo/pgherd-move"))) {
      const kvs = state.moving ? [{ value: btoa('{"paused":false}'), mod_revision: "1" }] : [];
      return JSON.stringify({ header: {}, kvs });
    }
    if (script.includes("/v3/kv/range")) return "healthy\n";
    if (script.includes("/dev/tcp/127.0.0.1/7000"))
      return names
        .flatMap((one) => [
          row("primary", one, one === state.writesTo),
          row("replica", one, one !== state.writesTo),
        ])
        .join("\n");
    if (script.includes("pg_stat_progress_basebackup"))
      return JSON.stringify(state.backups[name] ?? []);
    if (script.includes("xact_start")) return JSON.stringify(state.transactions[name] ?? []);
    return "";
  }
  return state;
}
