import type { LoadedFiles } from "../facts/loaded";
import type { MemberStatus } from "../facts/patroni";
import { IS_UNCHANGED } from "../facts/pending";
import type { RunningSettings } from "../facts/settings";
import { literal } from "../facts/sql";
import { sameSetting } from "../setting-values";
import { runSql } from "./postgres";

/** Settings as text, by lower-case name: what must stand in the files of every member. */
export type WantedSettings = { readonly [name: string]: string };

/** Where ALTER SYSTEM writes; it wins over all other files. */
export const ALTERED = "postgresql.auto.conf";

/** The settings of Patroni's dynamic configuration as Patroni writes them. */
export function wantedSettings(configuration: { readonly [key: string]: unknown }): WantedSettings {
  const { parameters = {} } = (configuration.postgresql ?? {}) as {
    parameters?: { readonly [name: string]: unknown };
  };
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
}

/**
 * Settings that a member has not loaded as they are wanted: `{ work_mem: "4MB" }` for what it has instead. What only
 * waits for a restart has been loaded.
 */
export function notLoaded(
  wanted: WantedSettings,
  { files, started, kinds }: RunningSettings,
): { [name: string]: string } {
  const others: { [name: string]: string } = {};
  for (const [name, value] of Object.entries(wanted)) {
    // What Patroni gives on the command line stands in no file, and changes by a restart alone.
    if (Object.hasOwn(started, name) && files[name]?.file !== ALTERED) continue;
    const found = files[name];
    if (!found || !sameSetting(found.value, value, kinds[name])) {
      others[name] = found
        ? found.file === ALTERED
          ? `${found.value} by ALTER SYSTEM`
          : found.value
        : "nothing";
    }
  }
  return others;
}

/** Names of wanted settings that ALTER SYSTEM has overridden. */
export function overridden(wanted: WantedSettings, { files, kinds }: RunningSettings): string[] {
  return Object.entries(files)
    .filter(([name, { value, file }]) => {
      const want = wanted[name];
      return file === ALTERED && want !== undefined && !sameSetting(value, want, kinds[name]);
    })
    .map(([name]) => name);
}

/**
 * A script that takes back a server's marks of settings which a restart would leave as they are: a file says what it runs with,
 * until that is reset. Not of lists, which ALTER SYSTEM would write as one name in quotes.
 */
export function clearMarks(port: number): string {
  return runSql(
    port,
    "postgres",
    `select format('alter system set %I = %L', name, setting) from pg_settings
  where ${IS_UNCHANGED} and vartype <> 'string' and ${MAY_ALTER} \\gexec
select pg_reload_conf();
`,
  );
}

/** What takes the lines of `clearMarks` out of the file again. Where it wrote none, there is nothing to take back. */
export function endMarks(port: number, names: readonly string[]): string {
  const all = names.map(literal).join(", ");
  return runSql(
    port,
    "postgres",
    `select format('alter system reset %I', name) from unnest(array[${all}]::text[]) as name where ${MAY_ALTER} \\gexec
select pg_reload_conf();
`,
  );
}

/** Of PostgreSQL before 17 always true. A mark is no harm, and goes with the next restart. */
const MAY_ALTER = "coalesce(current_setting('allow_alter_system', true), 'on') = 'on'";

/** PostgreSQL 17 can forbid it, and then says no more than that. */
const DEMAND_ALTER_SYSTEM = `DO $$BEGIN
  IF current_setting('allow_alter_system', true) = 'off' THEN
    RAISE EXCEPTION 'what ALTER SYSTEM has set cannot be taken back, since allow_alter_system is off: set it to on in postgresql.parameters, run pulumi up, and set it to off again';
  END IF;
END$$;
`;

/** A script that takes back what ALTER SYSTEM has set; the server then reads its files again. */
export function resetSettings(port: number, names: readonly string[]): string {
  const lines = names.map((name) => `ALTER SYSTEM RESET ${JSON.stringify(name)};\n`);
  const sql = `${DEMAND_ALTER_SYSTEM}${lines.join("")}SELECT pg_reload_conf();\n`;
  return runSql(port, "postgres", sql);
}

/**
 * Settings that a replica may not have lower than its primary (PostgreSQL, "Hot Standby", 26.4.3): raised ones must
 * reach the replicas first, lowered ones the primary first.
 */
export const ORDERED = [
  "max_connections",
  "max_worker_processes",
  "max_wal_senders",
  "max_prepared_transactions",
  "max_locks_per_transaction",
] as const;

/** Which of the ordered settings a server that is running has higher than wanted. */
export function lowered(wanted: WantedSettings, { started }: RunningSettings): string[] {
  return ORDERED.filter((name) => Number(started[name]) > Number(wanted[name]));
}

/**
 * What matters only while WAL is replayed. Patroni replays a backup without `hot_standby`, up to a target which it takes
 * out of the file later: a server that leads by then waits for none of it.
 */
export const FOR_REPLAY = /^(hot_standby|restore_command|recovery_target(_.*)?)$/;

/**
 * What a server waits for that a restart would bring. Where it runs with what is wanted already, only ALTER SYSTEM says
 * something else, which is taken back, or which the command line wins over.
 */
export function waitingFor(wanted: WantedSettings, running: RunningSettings): string[] {
  const { pending, unchanged, inForce, kinds } = running;
  return pending.filter((name) => {
    const [want, runs] = [wanted[name], inForce[name.toLowerCase()]];
    if (want === undefined) return !unchanged.includes(name);
    return runs === undefined || !sameSetting(want, runs, kinds[name]);
  });
}

/** What of its files a server would run with after a restart, and does not now; the command line wins over all of them. */
export function filesWait({ pending, unchanged, started }: RunningSettings): string[] {
  return pending.filter(
    (name) =>
      !unchanged.includes(name) &&
      !Object.hasOwn(started, name) &&
      !FOR_REPLAY.test(name) &&
      !COSMETIC.includes(name),
  );
}

/**
 * Whether a restart that Patroni asks for would change nothing: it goes by the server's marks, and names what they are (3.3 and
 * later).
 */
export function asksInVain(
  {
    pendingRestart,
    pendingSettings = {},
  }: Pick<MemberStatus, "pendingRestart" | "pendingSettings">,
  { pending = [], unchanged = [] }: Pick<LoadedFiles, "pending" | "unchanged">,
): boolean {
  const reasons = [...pending, ...Object.keys(pendingSettings)];
  return pendingRestart && pending.length > 0 && reasons.every((name) => unchanged.includes(name));
}

/** Which settings that a server was started with are to be others, without those that are to be lower. */
export function otherwisePending(wanted: WantedSettings, running: RunningSettings): string[] {
  const less = lowered(wanted, running) as string[];
  const given = Object.entries(running.started)
    .filter(
      ([name, value]) =>
        wanted[name] !== undefined && !sameSetting(wanted[name], value, running.kinds[name]),
    )
    .map(([name]) => name);
  const others = [...new Set([...given, ...waitingFor(wanted, running)])];
  return others.filter((name) => !FOR_REPLAY.test(name) && !less.includes(name));
}

/** Whether a server that is running must be restarted to have these settings. */
export function needsRestart(wanted: WantedSettings, running: RunningSettings): boolean {
  return lowered(wanted, running).length + otherwisePending(wanted, running).length > 0;
}

/**
 * What a server that was taken over has otherwise than Patroni would start it, and what is not worth a restart: it only
 * stands in the titles of its processes.
 */
export const COSMETIC: readonly string[] = ["cluster_name"];
