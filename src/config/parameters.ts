import { closest, distance } from "fastest-levenshtein";
import { ANY_HOST } from "../distributions/distributions";
import { booleanOf, NOT_WAITING, numberOf } from "../setting-values";
import { KNOWN, ruleOf, rulesOf, valueProblem } from "./parameter-values";
import { FOR_PATRONI, SETTING_PROMISES } from "../promises";
import { commitsWait } from "./replication-modes";
import type { ClusterSettings } from "./schema";

type Value = ClusterSettings["postgresql"]["parameters"][string];

const FROM_BACKUPS = "Members fetch WAL from pgherd:cluster.backup; remove it.";

/** Settings that pgherd or Patroni decides, each with what to do instead. */
const OWNED: { readonly [name: string]: string } = {
  listen_addresses: "The members listen on their addresses; remove it.",
  port: "Set pgherd:cluster.postgresql.port.",
  cluster_name: "Patroni sets it; remove it.",
  data_directory: "Set pgherd:cluster.postgresql.dataDirectory.",
  hba_file: "Set pgherd:cluster.postgresql.pgHba.",
  ident_file: "Patroni sets it; remove it.",
  config_file: "Patroni sets it; remove it.",
  external_pid_file: "systemd knows Patroni's process; remove it.",
  unix_socket_directories: `It is ${ANY_HOST.paths.sockets}; remove it.`,
  hot_standby: "Replicas always take reads; remove it.",
  wal_log_hints: "pg_rewind needs it on; remove it.",
  password_encryption: "It is always scram-sha-256; remove it.",
  primary_conninfo: "Patroni sets it; remove it.",
  primary_slot_name: "Patroni sets it; remove it.",
  synchronous_standby_names: "Set pgherd:cluster.replication.mode.",
  restore_command: FROM_BACKUPS,
  archive_cleanup_command: FROM_BACKUPS,
  recovery_end_command: FROM_BACKUPS,
  recovery_target: "A restore is an operation of its own; remove it.",
};

/** What of a session, or of a transaction, stands in no file (src/backend/utils/misc, `GUC_DISALLOW_IN_FILE`, 13 to 18). */
const OF_A_SESSION: { readonly [name: string]: string } = {
  role: "Set it for a user: `ALTER ROLE name SET role = …`.",
  session_authorization: "A session changes it by SET SESSION AUTHORIZATION.",
  seed: "A session sets it by `SET seed`, or by setseed().",
  transaction_isolation: "Set default_transaction_isolation.",
  transaction_read_only: "Set default_transaction_read_only.",
  transaction_deferrable: "Set default_transaction_deferrable.",
};

const AT_INITDB = "It was decided when the database was made";
const TOLD = "PostgreSQL tells it, and nobody sets it";

/** What a server only tells (`PGC_INTERNAL`, 13 to 18), each with what decides it. */
const TOLD_BY_SERVER: { readonly [name: string]: string } = {
  ...Object.fromEntries(
    [
      ...["debug_assertions", "huge_pages_status", "in_hot_standby", "integer_datetimes"],
      ...["is_superuser", "max_function_args", "max_identifier_length", "max_index_keys"],
      ...["block_size", "wal_block_size", "segment_size", "num_os_semaphores", "ssl_library"],
      ...["server_version_num", "data_directory_mode"],
    ].map((name) => [name, `${TOLD}.`]),
  ),
  server_version: `${TOLD}: pgherd:cluster.postgresql.version chooses it.`,
  shared_memory_size: `${TOLD}: shared_buffers and the like make it.`,
  shared_memory_size_in_huge_pages: `${TOLD}: shared_buffers and the like make it.`,
  data_checksums: `${AT_INITDB}, by pgherd:cluster.postgresql.dataChecksums.`,
  lc_collate: `${AT_INITDB}, by pgherd:cluster.postgresql.locale.`,
  lc_ctype: `${AT_INITDB}, by pgherd:cluster.postgresql.locale.`,
  server_encoding: `${AT_INITDB}: UTF8.`,
  wal_segment_size: `${AT_INITDB}.`,
};

/** Why a setting stands in no file, and what to do instead. */
function notInFiles(name: string): string | undefined {
  if (Object.hasOwn(OF_A_SESSION, name))
    return `expected a setting that a file may have, got one of a single session. ${OF_A_SESSION[name]}`;
  if (Object.hasOwn(TOLD_BY_SERVER, name))
    return `expected a setting that can be set, got one that can not. ${TOLD_BY_SERVER[name]} Remove it.`;
  return undefined;
}

/** Values of `synchronous_commit` with which a commit may wait for a replica (src/backend/utils/misc/guc_tables.c). */
const WAITING = ["on", "true", "yes", "1", "remote_write", "remote_apply"];

/** What is wrong with the user's settings of postgresql.conf: `[name, problem]`. */
export function parameterProblems({
  postgresql,
  replication,
  members,
  backup,
}: ClusterSettings): [name: string, problem: string][] {
  const { parameters, version } = postgresql;
  const problems: [string, string][] = [];
  const given = Object.keys(parameters);
  for (const [name, value] of Object.entries(parameters)) {
    const refuse = (problem: string) => problems.push([name, problem]);
    const lower = name.toLowerCase();
    const twin = given.find((other) => other !== name && other.toLowerCase() === lower);
    if (twin && given.indexOf(twin) < given.indexOf(name)) {
      refuse(`expected each setting once, got it again: "${twin}" is the same. Remove one.`);
      continue;
    }
    const owned = Object.hasOwn(OWNED, lower) ? OWNED[lower] : undefined;
    if (owned || lower.startsWith("recovery_target_")) {
      refuse(
        `expected a setting that is the user's, got ${show(value)}. ${owned ?? OWNED.recovery_target}`,
      );
      continue;
    }
    const known = notInFiles(lower) ?? knownProblem(lower, version);
    if (known) refuse(known);
    const promise = Object.hasOwn(SETTING_PROMISES, lower) ? SETTING_PROMISES[lower] : undefined;
    const rule = ruleOf(lower, version);
    const unfit = rule && valueProblem(lower, value, rule);
    const instead = Object.hasOwn(FOR_PATRONI, lower)
      ? `, or set it for a database or a user alone (ALTER DATABASE … SET ${lower} = …)`
      : "";
    if (promise && !promise.keeps(String(value)))
      refuse(
        `expected ${promise.expected}, got ${show(value)}: ${promise.reason}. Remove it${instead}.`,
      );
    else if (unfit && lower !== "synchronous_commit") refuse(unfit);
    if (/[\n\r\0]/.test(String(value)))
      refuse("expected one line, got several. Write it on one line.");
  }
  const commit = entry(parameters, "synchronous_commit");
  const value = String(commit?.[1]).toLowerCase();
  const waits = commitsWait({ replication, members });
  if (commit && waits && !WAITING.includes(value)) {
    problems.push([
      commit[0],
      `expected on, remote_write or remote_apply for "${replication.mode}", got ${show(commit[1])}: ` +
        "commits would be acknowledged before a replica has them. Remove it, or set it for single transactions.",
    ]);
  } else if (commit && ![...WAITING, ...NOT_WAITING].includes(value)) {
    problems.push([
      commit[0],
      `expected on, off, local, remote_write or remote_apply, got ${show(commit[1])}. Mend it.`,
    ]);
  }
  const refused = problems.map(([name]) => name);
  problems.push(
    ...tooLittle({ postgresql, members, backup }).filter(([name]) => !refused.includes(name)),
  );
  const logical = Object.values(postgresql.slots).some(({ type }) => type === "logical");
  const level = entry(parameters, "wal_level");
  if (logical && level && String(level[1]).toLowerCase() !== "logical") {
    problems.push([
      level[0],
      `expected logical, which a slot of pgherd:cluster.postgresql.slots needs, got ${show(level[1])}. Remove it.`,
    ]);
  }
  return problems;
}

/** Settings with which backups, or replicas, could not be: `[name, problem]`. */
function tooLittle({
  postgresql: { parameters, slots },
  members,
  backup,
}: Pick<ClusterSettings, "postgresql" | "members" | "backup">): [string, string][] {
  const problems: [string, string][] = [];
  const archive = entry(parameters, "archive_mode");
  if (backup && archive && booleanOf(String(archive[1])) === false) {
    problems.push([
      archive[0],
      `expected on, got ${show(archive[1])}: Barman takes no backup of a server that does not archive (pgherd:cluster.backup). Remove it.`,
    ]);
  }
  // A replica streams by a slot of its own, and so do a consumer and Barman; a copy takes two senders.
  const streams = members.length - 1 + Object.keys(slots).length + (backup ? 1 : 0);
  for (const [name, least] of [
    ["max_replication_slots", streams],
    ["max_wal_senders", streams + 2],
  ] as const) {
    const found = entry(parameters, name);
    const number = found && numberOf(String(found[1]), { type: "integer" });
    if (found && number !== undefined && number < least) {
      problems.push([
        found[0],
        `expected ${least} or more, for ${members.length} members, their copies, slots and backups, got ${show(found[1])}. Raise it, or remove it.`,
      ]);
    }
  }
  return problems;
}

/** Why a setting does not exist in this version. Those of extensions have a dot in their name and are not known here. */
function knownProblem(name: string, version: number): string | undefined {
  if (name.includes(".")) return undefined;
  const rules = rulesOf(name);
  if (rules.length === 0) {
    const near = nearest(name);
    return (
      "expected a setting of PostgreSQL, got an unknown one. " +
      (near ? `Did you mean ${near}?` : "Mend its name or remove it.")
    );
  }
  const first = rules[0]?.versions[0] ?? 0;
  const last = rules.at(-1)?.versions[1] ?? 0;
  if (version < first)
    return `expected a setting of PostgreSQL ${version}, got one that came with ${first}. Remove it.`;
  if (version > last)
    return `expected a setting of PostgreSQL ${version}, got one that ended with ${last}. Remove it.`;
  return undefined;
}

function entry(
  parameters: { readonly [name: string]: Value },
  wanted: string,
): [string, Value] | undefined {
  return Object.entries(parameters).find(([name]) => name.toLowerCase() === wanted);
}

function show(value: Value): string {
  return JSON.stringify(value);
}

/** At most this many letters may be wrong in what is taken for a misspelt name. */
const MISSPELT_LETTERS = 2;

function nearest(name: string): string | undefined {
  const best = closest(name, KNOWN);
  return distance(name, best) <= MISSPELT_LETTERS ? best : undefined;
}
