import type { CopyTarget } from "../facts/adoption";
import { SOCKETS } from "../../facts/postgres";
import { HIDDEN } from "../../facts/secrets";
import type { FoundSource } from "../facts/source";
import { isOfPatroni } from "../../facts/overrides";
import { placeOf } from "../../operations/loaded";
import { toBeRun } from "../../operations/remedies";
import { FOR_PATRONIS_SESSIONS } from "../../promises";
import { slotOf } from "../../roles/patroni";
import { booleanOf } from "../../setting-values";
import type { SurveyInputs } from "../inputs/survey";
import { judgeTarget } from "./target-rules";

/** What forbids a migration, each reason with what to do; none if nothing does. */
export function judgeSource(
  found: FoundSource,
  targets: { readonly [host: string]: CopyTarget },
  inputs: SurveyInputs,
): string[] {
  const { host } = inputs;
  const rules = inputs.stream ? FOLLOWED_RULES : ADOPTED_RULES;
  return [
    ...rules.flatMap((rule) => rule(found, inputs) ?? []).map((reason) => `${host}: ${reason}`),
    ...Object.entries(targets).flatMap(([name, target]) =>
      judgeTarget(target, found, inputs, name).map((reason) => `${name}: ${reason}`),
    ),
  ];
}

type Reasons = string | string[] | undefined;

type SourceRule = (found: FoundSource, inputs: SurveyInputs) => Reasons;

const ADOPTED_RULES: readonly SourceRule[] = [
  ...[version, recovery, owner, sockets, errors, alterSystem],
  ...[preparedTransactions, strict, postgresRole, ownRoles, ofBackups, patroniSessions],
  ...[passwordsInRules, passwordsInSettings, slotsOfMembers],
];

/** Of one that stays where it is. */
const FOLLOWED_RULES: readonly SourceRule[] = [
  ...[version, recovery, superuser, preparedTransactions, fullPages, ownRoles],
  ...[ofBackups, patroniSessions, passwordsInRules, passwordsInSettings],
];

function version({ source }: FoundSource, inputs: SurveyInputs) {
  if (source.version === inputs.version) return;
  return (
    `expected PostgreSQL ${inputs.version}, found ${source.version}. ` +
    `Set pgherd:cluster.postgresql.version to ${source.version}: a migration is no upgrade.`
  );
}

function recovery({ details }: FoundSource) {
  if (!details.inRecovery) return;
  return "expected a server that takes writes, found a standby. Name the host of its primary in pgherd:cluster.migration.from.";
}

function owner({ details }: FoundSource) {
  if (details.user === "postgres") return;
  return (
    `expected the server to be run by the user postgres, as whom Patroni runs, found ${details.user}. ` +
    "Stop it once, give its directories to postgres (chown -R) and start it as that user."
  );
}

/** Where pgherd's own questions find one: the distribution's place, and PostgreSQL's own default. */
function sockets({ source }: FoundSource) {
  const found = source.running.unix_socket_directories ?? "";
  const folders = found.split(",").map((one) => one.trim());
  // Patroni makes a folder of each (patroni/postgresql/config.py, `try_to_create_dir`).
  const abstract = folders.filter((one) => one.startsWith("@"));
  if (abstract.length > 0) {
    return (
      `expected its sockets to be in folders, found ${abstract.join(", ")} in unix_socket_directories, of which Patroni would make a folder in the data. ` +
      "Take it out and restart the server, at a time of your choice."
    );
  }
  if (folders.some((one) => [...SOCKETS, "/tmp"].includes(one))) return;
  return (
    `expected a socket in ${SOCKETS[0]} or /tmp, found unix_socket_directories = '${found}'. ` +
    "Add one of them and restart the server, at a time of your choice."
  );
}

function errors({ details }: FoundSource) {
  if (details.errors.length === 0) return;
  return (
    `expected its files to be without errors, since a reload reads them, found ${details.errors.join("; ")}. ` +
    "Mend these lines."
  );
}

/** What it has set and is Patroni's is taken back, on the copies too (PostgreSQL 17, "allow_alter_system"). */
function alterSystem({ source, details }: FoundSource) {
  const { allow_alter_system: allowed = "on" } = source.configured;
  if (details.altered.length === 0 || booleanOf(allowed) !== false) return;
  return (
    `expected allow_alter_system to be on, since what ALTER SYSTEM has set (${details.altered.join(", ")}) may have to be taken back, found it off. ` +
    "Take these out of postgresql.auto.conf with the server stopped, or set it to on in its files and reload the server; a cluster may have it off again."
  );
}

/** Patroni would wait for them at every switchover, and a standby cannot end them. */
function preparedTransactions({ source, details }: FoundSource) {
  if (details.preparedTransactions === 0) return;
  const allowed = source.running.max_prepared_transactions ?? "";
  return (
    `expected no prepared transaction, found ${details.preparedTransactions} (max_prepared_transactions is ${allowed}). ` +
    "End each with COMMIT PREPARED or ROLLBACK PREPARED; pg_prepared_xacts lists them."
  );
}

/** All but the first copy are made of a standby, which PostgreSQL refuses then ("pg_basebackup", notes). */
function fullPages({ source }: FoundSource, { others }: SurveyInputs) {
  const { full_page_writes: full = "on" } = source.configured;
  if (booleanOf(full) !== false || Object.keys(others).length < 2) return;
  return (
    "expected full_page_writes to be on, without which no member can be copied from another one, found it off. " +
    `Run there: ${toBeRun("ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf(); CHECKPOINT;")}`
  );
}

/** They would have these values on each member; what an application needs is set for its database. */
function patroniSessions({ source, details }: FoundSource) {
  return Object.entries(FOR_PATRONIS_SESSIONS).flatMap(([name, { keeps, expected, reason }]) => {
    const value = source.configured[name];
    const problem = (found: string, remedy: string) =>
      `expected ${name} of Patroni's sessions to be ${expected}, found ${found}: ${reason}. ${remedy}`;
    const own = details.overrides.filter(
      (one) => one.name === name && isOfPatroni(one) && !keeps(one.value),
    );
    return [
      ...(value === undefined || keeps(value)
        ? []
        : [
            problem(
              `${value} in its files`,
              `Set it for the databases that need it (${toBeRun(`ALTER DATABASE … SET ${name} = …;`)}), take it out of the files there, and reload the server.`,
            ),
          ]),
      ...own.map((one) =>
        problem(
          `${one.value} by ALTER ${placeOf(one)}`,
          `Run there: ${toBeRun(`ALTER ${placeOf(one)} RESET ${name};`)} Set it for the databases or users that need it.`,
        ),
      ),
    ];
  });
}

function strict(_found: FoundSource, { strict: wanted }: SurveyInputs) {
  if (!wanted) return;
  return (
    'expected pgherd:cluster.replication.mode to let writes go on while there is no replica, found "strict". ' +
    'Migrate with "synchronous", then change it: one run, nothing restarts.'
  );
}

/** Members that copy the server are led by this role, and nobody can create one in a copy. */
function superuser(found: FoundSource) {
  if (found.details.postgresRole) return postgresRole(found);
  return `expected a role postgres, as whom Patroni works on the copies, found none. Run there: ${toBeRun("CREATE ROLE postgres LOGIN SUPERUSER;")}`;
}

/** Patroni works as it; where it is somebody else's, it is not made a superuser behind his back. */
function postgresRole({ details: { postgresRole: role } }: FoundSource) {
  if (!role || (role.superuser && role.login)) return;
  return (
    "expected the role postgres, as whom Patroni works, to be a superuser that may log in, found " +
    `${role.superuser ? "" : "no superuser"}${role.superuser || role.login ? "" : " and "}${role.login ? "" : "that it may not log in"}. ` +
    `Run there: ${toBeRun("ALTER ROLE postgres SUPERUSER LOGIN; or, if an application uses it, ALTER ROLE postgres RENAME TO …;")}`
  );
}

/** The server's own would get another password, and whoever uses them would be shut out. */
function ownRoles({ source }: FoundSource, { stream }: SurveyInputs) {
  const taken = source.roles.filter((name) => name !== "postgres" && name !== stream?.role);
  if (taken.length === 0) return;
  return (
    `expected no role ${taken.join(", ")} yet, which Patroni will connect as, found that there is. ` +
    `Rename it (${toBeRun("ALTER ROLE … RENAME TO …;")}), if somebody uses it, or drop it.`
  );
}

function ofBackups({ source }: FoundSource, inputs: SurveyInputs) {
  return takenByOthers(source.backupRoles ?? [], source.slots, inputs);
}

/** Patroni would take it for the member's own: it drops the one of whoever leads, and a rollback the others'. */
function slotsOfMembers({ source }: FoundSource, { host, others }: SurveyInputs) {
  const members = [host, ...Object.keys(others)].map(slotOf);
  const taken = source.slots.map(({ name }) => name).filter((name) => members.includes(name));
  if (taken.length === 0) return;
  return (
    `expected no replication slot ${taken.join(", ")} yet, from which a member of that name will stream, found that there is. ` +
    `Give its receiver another one, then drop it (${toBeRun("SELECT pg_drop_replication_slot('…');")}), or name the host otherwise in pgherd:hosts.`
  );
}

/**
 * What Barman would use and somebody else does, his own Barman as a rule: its roles would get other passwords and be let in
 * from the cluster only, and what the slot keeps would be moved on. Slots of a server that is only followed stay there.
 */
export function takenByOthers(
  roles: readonly string[],
  slots: readonly { readonly name: string }[],
  { backup, stream }: Pick<SurveyInputs, "backup" | "stream">,
): string[] {
  if (!backup) return [];
  const taken = roles.filter((name) => backup.roles.includes(name));
  const [are, them] = taken.length === 1 ? ["is", "it"] : ["are", "them"];
  const reasons = [
    taken.length > 0 &&
      `expected no role ${taken.join(", ")} yet, which the cluster's backups will connect as, found that there ${are}. ` +
        `Rename ${them} (${toBeRun("ALTER ROLE … RENAME TO …;")}), and the user in the conninfo of the Barman that connects so, or drop ${them}. ` +
        "Or leave pgherd:cluster.backup out until that one is gone.",
    !stream &&
      slots.some(({ name }) => name === backup.slot) &&
      `expected no replication slot ${backup.slot} yet, which will keep WAL for the cluster's backups, found that there is. ` +
        `Give its receiver another one (slot_name of a Barman), then drop it: ${toBeRun(`SELECT pg_drop_replication_slot('${backup.slot}');`)} ` +
        "Or leave pgherd:cluster.backup out until that receiver is gone.",
  ];
  return reasons.filter((reason) => reason !== false);
}

/** Settings become the cluster's as they are, in the DCS and in the stack's state. */
function passwordsInSettings({ source }: FoundSource) {
  const found = Object.entries(source.configured).filter(([, value]) => value === HIDDEN);
  if (found.length === 0) return;
  return (
    `expected its settings to hold no password, since they become the cluster's, in the open, found one in ${found.map(([name]) => name).join(", ")}. ` +
    "Put it into a file that only postgres reads (~/.pgpass, an environment file), on all hosts."
  );
}

/** Options of pg_hba.conf that are secrets (PostgreSQL, "LDAP Authentication", "RADIUS Authentication"). */
const SECRET_OPTIONS = /\b(ldapbindpasswd|radiussecrets)=/g;

/** The rules become Patroni's, and everybody who sees the cluster's configuration sees them. */
function passwordsInRules({ source }: FoundSource) {
  const found = source.hba.flatMap((rule) =>
    [...rule.matchAll(SECRET_OPTIONS)].map(([, name]) => name),
  );
  if (found.length === 0) return;
  return (
    `expected pg_hba.conf to hold no password, since its rules become the cluster's, in the open, found ${[...new Set(found)].join(", ")}. ` +
    "Bind without one (ldapprefix, ldapsuffix), or let these clients use another method."
  );
}
