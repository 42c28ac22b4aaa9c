import { dcsDirectory, ownDcsOf, pathOfOwn } from "./dcs";
import { listed, type Role } from "./role";

/** Where its unit reads its settings (src/dcs/etcd/planned.ts). */
const ENVIRONMENT_FILE = "/etc/default/etcd";

/**
 * `--help` and `--version` end before anything is read; all else reads it and starts a member at once (etcd 3.4 to 3.6,
 * server/etcdmain/config.go, `parse`). What it refuses it says when it starts, and no other member restarts then.
 */
const NO_CHECK = "etcd reads its settings only to start a member with them";

/** The DCS: it decides who leads, and every member can read that. */
export const etcd: Role = {
  name: "etcd",
  after: [],
  hosts: (cluster) =>
    listed(
      `${pathOfOwn(cluster, "etcd")}.members`,
      ownDcsOf(cluster, "etcd")?.members ?? [],
      (host) => host,
    ),
  user: "etcd",

  // curl asks the daemon on the host itself, which spares the start of a larger program for every question.
  software: () => ["curl", "etcdctl", "etcd"],
  sameVersions: ["etcd"],
  leastVersion: { software: "etcd", version: "3.4.0", setting: "dcs" },

  // Whoever reaches etcd can have every member run a command as postgres, by the settings that stand in it.
  ports: [
    {
      setting: "dcs.clientPort",
      number: (cluster) => ownDcsOf(cluster, "etcd")?.clientPort,
      purpose: "etcd",
      from: () => ["members", "dcs"],
      callers: ["patroni", "etcd"],
    },
    {
      setting: "dcs.peerPort",
      number: (cluster) => ownDcsOf(cluster, "etcd")?.peerPort,
      purpose: "etcd's peers",
      from: () => ["dcs"],
      callers: ["etcd"],
    },
  ],
  traffic: [],
  logins: [],

  secrets: () => [],
  directories: [
    {
      owner: "etcd",
      setting: "dcs.dataDirectory",
      path: (cluster) => (ownDcsOf(cluster, "etcd") ? dcsDirectory(cluster, "etcd") : undefined),
      name: "etcd's data",
    },
  ],
  database: false,
  kernel: {},

  unit: "etcd.service",
  journal: ["etcd.service"],
  loading: "restart",
  effect: "restarts, one member at a time, while the others are healthy",
  felt: true,
  waitForStart: false,
  validate: () => ({ [ENVIRONMENT_FILE]: { none: NO_CHECK } }),
  programs: {},
};
