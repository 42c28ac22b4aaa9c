import { replicationMode } from "../config/replication-modes";
import type { ClusterSettings, Settings } from "../config/schema";
import { bytesOf } from "../config/size";
import { timings } from "../config/timings";
import type { HostsFacts } from "../resources/inputs/preflight";
import type { Source } from "../migration/inputs/source";
import { BACKUP_SLOT, BARMAN_CHECKS } from "./backup";
import { capabilities, type Capabilities } from "./capabilities";
import { carriedParameters, migratedSlots } from "../migration/carried/settings";
import { isFollowing, soFar } from "../migration/steps";
import { ownParameters } from "./parameters";
import { slotOf } from "../roles/patroni";
import { tuned } from "./tuning";

/**
 * The document that all members follow, once the hosts have been looked at, and the server that is migrated. A restart for
 * backups that are still to come is the one that other settings may need before.
 */
export function planConfiguration(
  whole: Settings,
  facts: HostsFacts,
  source?: Source,
): { readonly [key: string]: unknown } {
  return dynamicConfiguration(soFar(whole), facts, whole.cluster.backup !== undefined, source);
}

/**
 * The document that all members follow, kept in the DCS
 * (https://patroni.readthedocs.io/en/latest/dynamic_configuration.html). It stands there before the first member
 * starts, so that a new cluster is made with it, and a later change is never mixed up with `bootstrap` settings.
 * @param facts what the smallest member has, and Patroni's lowest version among the members.
 * @param backedUp whether Barman takes backups, or will in a later step of the migration.
 * @param source the server that is migrated, if one is.
 */
export function dynamicConfiguration(
  settings: Settings,
  facts: HostsFacts,
  backedUp: boolean,
  source?: Source,
): { readonly [key: string]: unknown } {
  const { cluster } = settings;
  const { failover, replication } = cluster;
  const { ttl, loopWait, retryTimeout, primaryStartTimeout } = timings(failover);
  const can = capabilities(facts.versions.patroni ?? "0", settings.cluster.dcs.kind);
  // Whoever uses a slot of a server that is only followed stays with that server until he is moved.
  const kept = source && !isFollowing(settings) ? migratedSlots(source) : {};
  const slots = { ...permanentSlots(cluster, can), ...kept };
  return {
    ttl,
    loop_wait: loopWait,
    retry_timeout: retryTimeout,
    primary_start_timeout: primaryStartTimeout,
    maximum_lag_on_failover: bytesOf(failover.maximumLag),
    failsafe_mode: failover.failsafe ?? can.failsafe,
    ...replicationMode(cluster).patroni,
    synchronous_node_count: replication.count,
    ...(Object.keys(slots).length > 0 && { slots }),
    postgresql: {
      use_pg_rewind: true,
      use_slots: true,
      parameters: source
        ? migratedParameters(settings, source, backedUp)
        : parameters(cluster, facts),
    },
  };
}

/**
 * PostgreSQL's settings of a migrated cluster: what the old server has, what replicas need, and Barman, and the user's own; the
 * last one wins.
 * @param backedUp whether Barman takes backups, or will in a later step.
 */
export function migratedParameters(
  settings: Settings,
  source: Source,
  backedUp = false,
): { readonly [name: string]: string | number } {
  return {
    ...carriedParameters(settings, source, backedUp ? BARMAN_CHECKS : {}),
    ...ownParameters(settings.cluster.postgresql),
  };
}

/** Slots that stay through every change of the leader. */
function permanentSlots({ members, postgresql, backup }: ClusterSettings, can: Capabilities) {
  // An older Patroni drops the slot of a member that is away, and with it the WAL which that member needs to come back.
  const ofMembers = can.keepsMemberSlots || members.length === 1 ? [] : members;
  return {
    ...Object.fromEntries(ofMembers.map(({ host }) => [slotOf(host), { type: "physical" }])),
    ...(backup ? { [BACKUP_SLOT]: { type: "physical" } } : {}),
    ...postgresql.slots,
  };
}

/** Time, process, and of sessions the user, the database, the program and where it comes from (PostgreSQL, 19.8.3). */
const LOG_LINE_PREFIX = "%m [%p] %quser=%u,db=%d,app=%a,client=%h ";

/** postgresql.conf: what a cluster needs, what fits the hosts, what the user wants; the last one wins. */
function parameters(
  { members, postgresql, backup }: ClusterSettings,
  facts: HostsFacts,
): { readonly [name: string]: string | number } {
  const { memory, cores, disk } = postgresql.resources;
  const slots = Object.values(postgresql.slots);
  // A slot and a sender for each replica, one more for its first copy, and one for each of the user's slots and for Barman.
  const streams = Math.max(10, 2 * members.length + slots.length + (backup ? 1 : 0) + 2);
  return {
    wal_level: slots.some(({ type }) => type === "logical") ? "logical" : "replica",
    hot_standby: "on",
    wal_log_hints: "on",
    max_connections: 100,
    max_wal_senders: streams,
    max_replication_slots: streams,
    max_prepared_transactions: 0,
    max_locks_per_transaction: 64,
    // On from the beginning: it cannot be switched on later without a restart of every member.
    ...(backup || facts.archives ? BARMAN_CHECKS : {}),
    track_commit_timestamp: "off",
    password_encryption: "scram-sha-256",
    log_line_prefix: LOG_LINE_PREFIX,
    ...tuned(
      {
        memory: memory ? bytesOf(memory) : facts.smallest.memory,
        cores: cores ?? facts.smallest.cores,
        disk: disk ? bytesOf(disk) : facts.smallest.disk,
      },
      Number(postgresql.parameters.max_connections ?? 100),
    ),
    ...ownParameters(postgresql),
  };
}
