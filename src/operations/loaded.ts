import type { LoadedFiles } from "../facts/loaded";
import { booleanOf, NOT_WAITING } from "../setting-values";
import { isOfPatroni, type SessionOverride } from "../facts/overrides";
import { identifier } from "../facts/sql";
import { FOR_PATRONIS_SESSIONS, SETTING_PROMISES } from "../promises";
import { toBeRun } from "./remedies";

/** What a server cannot load of its files, each with the place and the server's own words. */
export function loadErrors(member: string, { errors }: Pick<LoadedFiles, "errors">): string[] {
  return errors.map(({ file, line, name, error }) => {
    const place = `${file ?? "its configuration"}${line === null ? "" : `, line ${line}`}`;
    return `${member}: PostgreSQL does not load ${place}: ${name === null ? "" : `${name}: `}${error}`;
  });
}

/** Whether two texts of pg_hba.conf have the same lines; comments, of which Patroni writes some, count for nothing. */
export function sameLines(a: readonly string[], b: readonly string[]): boolean {
  return JSON.stringify(linesOf(a)) === JSON.stringify(linesOf(b));
}

function linesOf(lines: readonly string[]): string[] {
  return lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
}

/** Settings that pgherd, Patroni or a promise of the stack hang on; ALTER SYSTEM breaks them with any value. */
const NEVER = new Set([
  ...["synchronous_standby_names", "primary_conninfo", "primary_slot_name", "restore_command"],
  ...["hot_standby", "wal_log_hints"],
  ...["listen_addresses", "port", "unix_socket_directories", "hba_file", "ident_file"],
  ...["external_pid_file", "cluster_name"],
]);

/** Settings of a recovery that change nothing by themselves; what others of that name do is not known. */
const OF_NO_HARM = new Set([
  ...["recovery_prefetch", "recovery_init_sync_method"],
  ...["recovery_target_action", "recovery_target_inclusive"],
]);

/** Others that break one with this value. */
const UNLESS: { readonly [name: string]: (value: string) => boolean } = {
  ...Object.fromEntries(
    Object.entries({ ...SETTING_PROMISES, ...FOR_PATRONIS_SESSIONS }).map(([name, { keeps }]) => [
      name,
      keeps,
    ]),
  ),
  synchronous_commit: (value) => !NOT_WAITING.includes(value.toLowerCase()),
  password_encryption: (value) => value.toLowerCase() === "scram-sha-256",
  recovery_min_apply_delay: (value) => parseFloat(value) === 0,
  recovery_target_timeline: (value) => value === "latest",
  ...Object.fromEntries(
    [
      ...["recovery_target", "recovery_target_lsn", "recovery_target_name", "recovery_target_time"],
      ...["recovery_target_xid", "recovery_end_command", "archive_cleanup_command"],
      ...["promote_trigger_file"],
    ].map((name) => [name, (value: string) => value === ""]),
  ),
  default_transaction_read_only: (value) => booleanOf(value) === false,
};

/**
 * What ALTER SYSTEM has set that breaks a promise of every stack, whether or not this one names it: that commits outlast a
 * crash, and are confirmed where they are to be; that replicas follow; that the server is where its clients and Patroni look.
 */
export function brokenPromises({
  altered,
  configured,
}: Pick<LoadedFiles, "altered" | "configured">): { [name: string]: string } {
  return Object.fromEntries(
    Object.entries(altered).filter(([name, value]) => {
      const said = Object.hasOwn(configured, name) ? configured[name] : undefined;
      if (said !== undefined && isSame(said, value)) return false;
      if (Object.hasOwn(UNLESS, name)) return !UNLESS[name]?.(value);
      return NEVER.has(name) || (name.startsWith("recovery_") && !OF_NO_HARM.has(name));
    }),
  );
}

/**
 * What ALTER SYSTEM has set that waits for a restart, whether or not Patroni knows, which asks a server only when it reloads:
 * nobody has seen the server start with it.
 */
export function alteredToCome(found: Waiting): { [name: string]: string } {
  const broken = brokenPromises(found);
  return Object.fromEntries(
    Object.entries(alteredWaiting(found)).filter(([name]) => !Object.hasOwn(broken, name)),
  );
}

type Waiting = Pick<LoadedFiles, "altered" | "configured" | "pending" | "unchanged" | "given">;

/** All that ALTER SYSTEM has set for the next restart, what breaks a promise and is taken back by the next run included. */
export function alteredWaiting({
  altered,
  pending = [],
  unchanged = [],
  given = [],
}: Omit<Waiting, "configured">): { [name: string]: string } {
  const waiting = pending
    .filter((name) => !unchanged.includes(name))
    .map((name) => name.toLowerCase())
    .filter((name) => !given.includes(name));
  return Object.fromEntries(Object.entries(altered).filter(([name]) => waiting.includes(name)));
}

/** What takes back what ALTER SYSTEM has set. */
export function takenBack(names: readonly string[]): string {
  const resets = names.map((name) => `ALTER SYSTEM RESET ${identifier(name)};`);
  return toBeRun([...resets, "SELECT pg_reload_conf();"].join(" "));
}

/** Of settings of any type. */
function isSame(a: string, b: string): boolean {
  return a === b || (booleanOf(a) !== undefined && booleanOf(a) === booleanOf(b));
}

/**
 * What ALTER ROLE and ALTER DATABASE have set that breaks a promise of the stack for the sessions that it concerns. It may be
 * meant, so that nothing takes it back.
 * @param synchronous whether commits wait for replicas.
 */
export function sessionProblems(
  { overrides }: Pick<LoadedFiles, "overrides">,
  synchronous: boolean,
): string[] {
  return overrides.flatMap((override) => {
    const { name, value } = override;
    if (UNLESS[name]?.(value) || (name === "synchronous_commit" && !synchronous)) return [];
    if (Object.hasOwn(FOR_PATRONIS_SESSIONS, name) && !isOfPatroni(override)) return [];
    const of = placeOf(override);
    const breaks =
      name === "synchronous_commit"
        ? "commits of these sessions wait for no replica, and may be lost in a failover"
        : Object.hasOwn(FOR_PATRONIS_SESSIONS, name)
          ? `Patroni's sessions are of these: ${FOR_PATRONIS_SESSIONS[name]?.reason}`
          : "these sessions read damaged data as if it were whole";
    return [
      `${name} is ${JSON.stringify(value)} by ALTER ${of}: ${breaks}. If that is not meant: ${toBeRun(`ALTER ${of} RESET ${name};`)}`,
    ];
  });
}

/** Those of them with which Patroni could no longer ask its server once its sessions begin anew, by whatever change. */
export function blindingProblems({ overrides }: Pick<LoadedFiles, "overrides">): string[] {
  const ofPatroni = overrides.filter(({ name }) => Object.hasOwn(FOR_PATRONIS_SESSIONS, name));
  return sessionProblems({ overrides: ofPatroni }, false);
}

/** `ROLE "app" IN DATABASE "shop"`: what follows ALTER. */
export function placeOf({ role, database }: SessionOverride): string {
  if (role !== null)
    return `ROLE ${identifier(role)}${database === null ? "" : ` IN DATABASE ${identifier(database)}`}`;
  return database === null ? "ROLE ALL" : `DATABASE ${identifier(database)}`;
}

/**
 * That a server lets nobody in although it runs, with what helps. Nothing can be asked of it: who has done it, by ALTER SYSTEM or
 * in a file, undoes it in the file.
 */
export function describeShutOut(member: string, reason: string): string {
  return (
    `${member}: PostgreSQL lets nobody in: ${reason}. If somebody has set it there, ` +
    `take it out of the files in its data directory (ALTER SYSTEM writes postgresql.auto.conf) and run pg_ctl reload as postgres on ${member}; ` +
    `a replica is made anew by \`pgherd reinit ${member}\`.`
  );
}

/** Less is what a replica that is busy takes. */
const LONG_SECONDS = 5;

/** What helps where a server forbids ALTER SYSTEM, and with it that what it has set is taken back. */
const NOT_ALTERED =
  "It cannot be taken back while allow_alter_system is off: set it to on in postgresql.parameters, run pulumi up, and set it to off again.";

/** What is wrong with what a server has loaded, in sentences for a status. */
export function loadedProblems(member: string, found: LoadedFiles): string[] {
  const { waiting } = found;
  return [
    ...loadErrors(member, found).map(
      (error) => `${error}. It goes on as it is, but would not start again. Mend it by pulumi up.`,
    ),
    ...Object.entries(brokenPromises(found)).map(
      ([name, value]) =>
        `${member}: ${name} is ${JSON.stringify(value)} by ALTER SYSTEM, which breaks a promise of the stack. ${found.mayAlter === false ? NOT_ALTERED : "pulumi up takes it back."}`,
    ),
    ...Object.entries(alteredToCome(found)).map(
      ([name, value]) =>
        `${member}: ${name} will be ${JSON.stringify(value)} by ALTER SYSTEM from PostgreSQL's next restart on, a failure's too, and nobody has tried it. If that is not meant: ${takenBack([name])}`,
    ),
    ...(waiting.count > 0 && waiting.seconds >= LONG_SECONDS ? [hanging(member, found)] : []),
  ];
}

function hanging(member: string, found: LoadedFiles): string {
  const { waiting, synchronousStandbyNames: names } = found;
  const commits = waiting.count === 1 ? "1 commit waits" : `${waiting.count} commits wait`;
  const by = Object.hasOwn(found.altered, "synchronous_standby_names") ? ", by ALTER SYSTEM" : "";
  return (
    `${member}: ${commits} for a replica to confirm, for ${waiting.seconds} s by now. ` +
    `synchronous_standby_names is ${JSON.stringify(names)}${by}.`
  );
}
