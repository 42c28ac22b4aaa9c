import { dirname } from "node:path";
import type { ClusterSettings } from "../config/schema";
import { ANY_HOST, distributionOf, forMajor } from "../distributions/distributions";
import { COPYING } from "./copying";
import { CHECKING_ROLES, DCS_ROLES, dcsClients } from "./dcs";
import { KEEPALIVES } from "./kernel";
import { PATRONI_CHECK } from "./patroni-check";
import { listed, type Role } from "./role";

/** Patroni's REST API, which HAProxy asks for each member's role. */
export const PATRONI_PORT = 8008;

/** Where it is at this address: `10.89.0.11:8008`. */
export function restApiAt(address: string): string {
  return `${address.includes(":") ? `[${address}]` : address}:${PATRONI_PORT}`;
}

/** What Patroni is told on a member: it reads all files of this folder, in order, as one configuration. */
export const PATRONI_FOLDER = "/etc/patroni/pgherd";

/** All of that but passwords. */
export const MEMBER_FILE = `${PATRONI_FOLDER}/10-member.yml`;

/** Its passwords; only root and postgres may read it. */
export const SECRETS_FILE = `${PATRONI_FOLDER}/20-secrets.yml`;

/** A member: PostgreSQL, which Patroni starts, stops and lets lead. */
export const patroni: Role = {
  name: "patroni",
  after: DCS_ROLES,
  hosts: ({ members }) => listed("members", members, ({ host }) => host),
  user: "postgres",

  software: (cluster) => [
    ...(["curl", "patroni", "postgresql"] as const),
    ...dcsClients(cluster),
    ...(cluster.backup || cluster.postgresql.bootstrap ? COPYING : []),
  ],
  packages: ({ postgresql }) => postgresql.packages,
  sameVersions: ["patroni", "postgresql"],
  leastVersion: { software: "patroni", version: "3.0.0", setting: "" },

  ports: [
    {
      setting: "postgresql.port",
      number: ({ postgresql }) => postgresql.port,
      purpose: "PostgreSQL",
      from: ({ loadBalancers }) => [
        "members",
        ...(loadBalancers && loadBalancers.hosts.length > 0
          ? (["balancers and their virtual addresses"] as const)
          : (["clients", "backup host"] as const)),
      ],
    },
    {
      number: () => PATRONI_PORT,
      purpose: "Patroni's REST API",
      from: () => ["members", "balancers and their virtual addresses", "admins"],
      // An agent of the DCS checks what it tells of its own member.
      callers: ["patroni", "haproxy", ...CHECKING_ROLES],
      monitored: true,
    },
  ],
  traffic: [{ protocol: "mark", purpose: "forks", from: ["clients"] }],
  logins: ["backup host"],

  secrets: () => [{ name: "replication" }, { name: "rewind" }, { name: "rest-api" }],
  directories: [
    {
      owner: "postgres",
      setting: "postgresql.dataDirectory",
      path: dataDirectory,
      name: "PostgreSQL's data",
    },
    {
      owner: "postgres",
      setting: "postgresql.dataDirectory",
      path: forksDirectory,
      name: "the folder of forks beside the data",
    },
  ],
  database: true,
  // Memory is for the database, not for swapping it out, and what is dirty is written in small steps, so that a checkpoint
  // does not stop everything. Values of autobase's `sysctl_conf`.
  kernel: {
    ...KEEPALIVES,
    "vm.swappiness": "1",
    "vm.dirty_background_bytes": String(64 * 2 ** 20),
    "vm.dirty_bytes": String(512 * 2 ** 20),
    "vm.zone_reclaim_mode": "0",
  },

  // Files of it may lie there unused.
  elsewhere: { inUse: "systemctl -q is-active 'patroni*.service'", files: "/etc/patroni/*" },

  unit: "patroni.service",
  journal: ["patroni.service"],
  // It reads its files again; what needs a restart of PostgreSQL then waits for one.
  loading: "reload",
  effect: "reloads its files: PostgreSQL goes on",
  felt: true,
  waitForStart: true,
  validate: () => ({
    [MEMBER_FILE]: { python: PATRONI_CHECK, user: "postgres" },
    [SECRETS_FILE]: { python: PATRONI_CHECK, user: "postgres" },
  }),
  // The one that serves the cluster, not that of a fork.
  programs: { postgres: `^${forMajor(ANY_HOST.paths.programs, "[0-9]*")}/postgres -D ` },
};

/** Where a member keeps its data. */
export function dataDirectory(cluster: ClusterSettings): string {
  const { dataDirectory: own, version } = cluster.postgresql;
  return own ?? forMajor(distributionOf(cluster).paths.data, version);
}

/** The folder of a host's forks: beside the data, since only one file system can share blocks. */
export function forksDirectory(cluster: ClusterSettings): string {
  return `${dirname(dataDirectory(cluster))}/forks`;
}

/** PostgreSQL's programs: `/usr/lib/postgresql/17/bin`. */
export function programsDirectory(cluster: ClusterSettings): string {
  return forMajor(distributionOf(cluster).paths.programs, cluster.postgresql.version);
}

/** Where clients on a member's host find its socket. */
export function socketsDirectory(cluster: ClusterSettings): string {
  return distributionOf(cluster).paths.sockets;
}

/** The slot from which a member streams (patroni/dcs, slot_name_from_member_name). */
export function slotOf(member: string): string {
  return member.replaceAll("-", "_");
}
