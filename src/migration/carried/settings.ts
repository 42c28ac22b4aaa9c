import { commitsWait } from "../../config/replication-modes";
import type { Settings } from "../../config/schema";
import type { Source } from "../inputs/source";
import { NOT_WAITING } from "../../setting-values";

/** What a member has of its own, or what Patroni gives it: not copied from the old server's files. */
const OF_THE_MEMBER =
  /^(listen_addresses|port|cluster_name|(data|unix_socket)_director(y|ies)|(hba|ident|config|external_pid)_file|stats_temp_directory|primary_(conninfo|slot_name)|(promote_)?trigger_file|synchronous_standby_names|restore_command|archive_cleanup_command|recovery_(end_command|min_apply_delay|target(_.*)?)|standby_mode|hot_standby)$/;

/** Settings that Patroni always gives a server; what it runs with stays, so that nothing needs a restart. */
const AS_THEY_RUN = [
  ...["max_connections", "max_prepared_transactions", "max_locks_per_transaction"],
  ...["max_worker_processes", "track_commit_timestamp"],
];

/**
 * What the old server has, as it stands in its files, and what replicas need; the last one wins. Nothing is tuned: whoever
 * migrates wants the same database.
 * @param archiving what a server gets that archives nothing by itself.
 */
export function carriedParameters(
  { cluster }: Settings,
  source: Source,
  archiving: { readonly [name: string]: string | number },
): { readonly [name: string]: string | number } {
  const kept = Object.entries(source.configured).filter(([name]) => !OF_THE_MEMBER.test(name));
  return {
    ...Object.fromEntries(kept),
    ...Object.fromEntries(AS_THEY_RUN.map((name) => [name, running(source, name)])),
    // What it archives by itself already, it goes on archiving.
    ...(archives(source) ? {} : archiving),
    hot_standby: "on",
    // pg_rewind needs one of the two (PostgreSQL, pg_rewind, "Notes"); checksums are there without a restart.
    wal_log_hints: source.checksums ? running(source, "wal_log_hints") : "on",
    ...waitingCommits(cluster, source),
    wal_level: walLevel(cluster, source),
    max_wal_senders: Math.max(Number(running(source, "max_wal_senders")), streams(cluster, source)),
    max_replication_slots: Math.max(
      Number(running(source, "max_replication_slots")),
      streams(cluster, source),
    ),
  };
}

/** What the stack promises of commits wins over what the server was told when it had no replica; the report says so. */
function waitingCommits(cluster: Settings["cluster"], { configured }: Source): object {
  const value = configured.synchronous_commit?.toLowerCase() ?? "on";
  return commitsWait(cluster) && NOT_WAITING.includes(value) ? { synchronous_commit: "on" } : {};
}

function archives({ configured }: Source): boolean {
  return !["off", undefined].includes(configured.archive_mode);
}

/** Where the server listens: as it does already, or everywhere if no other host could reach it. */
export function listenAddresses(source: Source): string {
  return listens(source) ? running(source, "listen_addresses") : "*";
}

/** Whether other hosts can reach the server. */
export function listens(source: Source): boolean {
  const local = ["", "localhost", "127.0.0.1", "::1"];
  return running(source, "listen_addresses")
    .split(",")
    .some((one) => !local.includes(one.trim()));
}

/** Where Patroni writes pg_hba.conf. */
export function hbaFile(source: Source): string {
  return `${source.configDirectory}/pg_hba.conf`;
}

/** For each other member a slot and a stream, and two streams while it is copied; and what there is already. */
export function streams({ members, postgresql }: Settings["cluster"], source: Source): number {
  const slots = source.slots.length + Object.keys(postgresql.slots).length;
  return 3 * (members.length - 1) + slots;
}

function walLevel({ postgresql }: Settings["cluster"], source: Source): string {
  const logical = Object.values(postgresql.slots).some(({ type }) => type === "logical");
  const level = running(source, "wal_level");
  return logical ? "logical" : level === "minimal" ? "replica" : level;
}

/** What the server runs with; empty where it has no such setting. */
export function running(source: Source, name: string): string {
  return source.running[name] ?? "";
}

/** The server's slots as Patroni's dynamic configuration has them: they stay, through every change of the leader. */
export function migratedSlots(source: Source): { readonly [name: string]: object } {
  return Object.fromEntries(
    source.slots.map(({ name, type, database, plugin }) => [
      name,
      type === "physical" ? { type } : { type, database, plugin },
    ]),
  );
}
