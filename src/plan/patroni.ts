import { isIPv6 } from "node:net";
import type { ClusterSettings, Settings } from "../config/schema";
import { addressOf } from "./addresses";
import { endpoint, render } from "./template";
import { timings } from "./timings";
import type { PatroniPlan, ServicePlan } from "./types";

/** Patroni's REST API, which HAProxy asks for each member's role. */
export const PATRONI_PORT = 8008;

/** Patroni reads all files of this folder, in order, as one configuration. */
const CONFIG = "/etc/patroni/pgherd";

/** Names of the roles that Patroni itself connects with. */
export const ROLES = {
  superuser: "postgres",
  replication: "replicator",
  rewind: "rewinder",
} as const;

/** Where a member keeps its data. */
export function dataDirectory({ postgresql }: ClusterSettings): string {
  return postgresql.dataDirectory ?? `/var/lib/postgresql/${postgresql.version}/main`;
}

/** What must hold across the Patroni members. */
export function planPatroni(settings: Settings): PatroniPlan {
  const { hosts, cluster } = settings;
  return {
    members: Object.fromEntries(
      cluster.members.map(({ host }) => [host, endpoint(addressOf(hosts, host), PATRONI_PORT)]),
    ),
    port: cluster.postgresql.port,
    roles: cluster.postgresql.users.map(({ name, createdb, createrole, connectionLimit }) => ({
      name,
      createdb,
      createrole,
      connectionLimit,
    })),
    databases: cluster.postgresql.databases,
    internalRoles: { replication: ROLES.replication, rewind: ROLES.rewind },
    dynamicConfiguration: dynamicConfiguration(cluster),
    synchronous: cluster.replication.mode !== "asynchronous" && cluster.members.length > 1,
  };
}

/**
 * The document that all members follow, kept in the DCS
 * (https://patroni.readthedocs.io/en/latest/dynamic_configuration.html). It stands there before the first member
 * starts, so that a new cluster is made with it, and a later change is never mixed up with `bootstrap` settings.
 */
function dynamicConfiguration(cluster: ClusterSettings): PatroniPlan["dynamicConfiguration"] {
  const { ttl, loopWait, retryTimeout, primaryStartTimeout } = timings(cluster.failover);
  const { mode } = cluster.replication;
  return {
    ttl,
    loop_wait: loopWait,
    retry_timeout: retryTimeout,
    primary_start_timeout: primaryStartTimeout,
    // Patroni's default: a replica further behind than this many bytes is never promoted on its own.
    maximum_lag_on_failover: 1048576,
    // The leader stays one while the DCS is away, as long as all members still answer it (Patroni 3.0).
    failsafe_mode: true,
    synchronous_mode: mode === "quorum" ? "quorum" : mode !== "asynchronous",
    synchronous_mode_strict: mode === "strict",
    postgresql: {
      use_pg_rewind: true,
      use_slots: true,
      parameters: {
        wal_level: "replica",
        hot_standby: "on",
        wal_log_hints: "on",
        max_connections: 100,
        max_wal_senders: 10,
        max_replication_slots: 10,
        max_worker_processes: 8,
        max_prepared_transactions: 0,
        max_locks_per_transaction: 64,
        track_commit_timestamp: "off",
        password_encryption: "scram-sha-256",
        log_checkpoints: "on",
        log_lock_waits: "on",
        ...cluster.postgresql.parameters,
      },
    },
  };
}

/** Patroni, and by it PostgreSQL, on each member. */
export function planPatroniServices({ hosts, cluster }: Settings): ServicePlan[] {
  const { postgresql } = cluster;
  const owned = { owner: "postgres", group: "postgres" };
  return cluster.members.map(({ host, tags }) => {
    const address = addressOf(hosts, host);
    return {
      host,
      daemon: "patroni",
      directories: {
        [CONFIG]: { mode: "0700", ...owned },
      },
      files: {
        [`${CONFIG}/10-member.yml`]: {
          mode: "0600",
          ...owned,
          content: render("patroni/member.yml", {
            scope: cluster.name,
            name: host,
            restListen: endpoint(address, PATRONI_PORT),
            dcsHosts: cluster.dcs.members.map((member) =>
              endpoint(addressOf(hosts, member), cluster.dcs.clientPort),
            ),
            listen: `${isIPv6(address) ? `[${address}]` : address},127.0.0.1:${postgresql.port}`,
            connectAddress: endpoint(address, postgresql.port),
            dataDirectory: dataDirectory(cluster),
            binDirectory: `/usr/lib/postgresql/${postgresql.version}/bin`,
            roles: ROLES,
            pgHba: hostBasedAuthentication({ hosts, cluster }),
            tags: Object.entries({
              nofailover: false,
              noloadbalance: false,
              clonefrom: false,
              nosync: false,
              ...tags,
            })
              .filter(([, value]) => value !== undefined)
              .map(([name, value]) => ({ name, value })),
          }),
        },
        "/etc/systemd/system/patroni.service.d/pgherd.conf": {
          mode: "0644",
          owner: "root",
          group: "root",
          content: render("patroni/unit.conf", { config: CONFIG }),
        },
      },
      secretFiles: (secrets) => ({
        [`${CONFIG}/20-secrets.yml`]: {
          mode: "0600",
          ...owned,
          content: render("patroni/secrets.yml", { roles: ROLES, secrets }),
        },
      }),
    };
  });
}

/**
 * pg_hba.conf: superusers only by the local socket, Patroni's roles only from members, everyone else with a
 * password. Clients of the load balancers arrive with the balancers' addresses.
 */
function hostBasedAuthentication({
  hosts,
  cluster,
}: Pick<Settings, "hosts" | "cluster">): string[] {
  const single = (name: string) => {
    const address = addressOf(hosts, name);
    return isIPv6(address) ? `${address}/128` : `${address}/32`;
  };
  const members = cluster.members.map((member) => single(member.host));
  const balancers = (cluster.loadBalancers?.hosts ?? []).map(single);
  const clients = [...new Set([...members, ...balancers])];
  return [
    `local all ${ROLES.superuser} peer`,
    "local all all scram-sha-256",
    ...members.map((from) => `host replication ${ROLES.replication} ${from} scram-sha-256`),
    ...members.map((from) => `host all ${ROLES.rewind} ${from} scram-sha-256`),
    `host all ${ROLES.superuser},${ROLES.replication},${ROLES.rewind} all reject`,
    "host all all 127.0.0.1/32 scram-sha-256",
    ...clients.map((from) => `host all all ${from} scram-sha-256`),
    ...cluster.postgresql.pgHba,
  ];
}
