import { literal } from "../../facts/sql";
import { findServer, serverRequired } from "../../facts/find-server";
import { LOADED_RULES } from "../../facts/loaded-rules";
import { ORIGINAL, ROLES_OF_BACKUPS } from "../facts/source";
import { asUser, hereDocument, quote, words } from "../../host/shell";
import type { AdoptionInputs } from "../inputs/adoption";
import type { Source } from "../inputs/source";
import { runSql } from "../../operations/postgres";
import { keepIncluded } from "./included-files";
import { resetFailed } from "../../operations/units";
import { ARCHIVING_FAILS, stopServer } from "./stop-server";
import { patroni } from "../../roles/patroni";

/** Where systemd looks first for a unit: a file there wins over the package's, and one of its own may stand there. */
const UNITS = "/etc/systemd/system";

/** What is kept of the files that postgres may write, which postgres has read and puts back; and root's unit. */
const KEPT = `${ORIGINAL}/postgres.tar`;
const KEPT_UNIT = `${ORIGINAL}/unit.tar`;
/** Both in one, as earlier versions have kept them. */
const KEPT_EARLIER = `${ORIGINAL}/files.tar`;

/**
 * Keeps what a migration goes back to: the files of the server's configuration, its unit, and what was found of it. The
 * last of these stands there only when all of it does.
 */
export function keepOriginal(source: Source): string {
  const { configDirectory, dataDirectory, unit, files = [] } = source;
  const record = `${ORIGINAL}/source.json`;
  const conf = quote(`${configDirectory}/conf.d`);
  const beside = files.filter((file) => file.startsWith(`${configDirectory}/`));
  // What postgres cannot replace Patroni does not either.
  const own = `set --
for file in ${quote(dataDirectory)}/postgresql.auto.conf ${quote(configDirectory)}/*.conf ${words([source.hbaFile, source.identFile, ...beside])}; do
  if [ -f "$file" ] && [ -w "\${file%/*}" ]; then set -- "$@" "\${file#/}"; fi
done
if [ -d ${conf} ] && [ -w ${conf} ]; then set -- "$@" ${quote(`${configDirectory}/conf.d`.slice(1))}; fi
tar -C / -cf - --files-from=/dev/null -- "$@"`;
  const unitFile = `${UNITS}/${unit}`;
  return `install -d -m 0700 ${ORIGINAL}
{
${asUser("postgres", own)}
} >${KEPT}.new
${keepIncluded(source)}
${unit === "" ? "" : `if [ -f ${quote(unitFile)} ] && [ ! -L ${quote(unitFile)} ]; then tar -C / -cf ${KEPT_UNIT} ${quote(unitFile.slice(1))}; fi`}
sync ${KEPT}.new
mv ${KEPT}.new ${KEPT}
(umask 077; cat >${record}.new) ${hereDocument(`${JSON.stringify(source)}\n`)}
sync ${record}.new
mv ${record}.new ${record}`;
}

/**
 * What Patroni gives a server (patroni/postgresql/config.py, CMDLINE_OPTIONS and _RECOVERY_PARAMETERS, get_server_parameters),
 * and where one has what. Where ALTER SYSTEM has set it, it would win over Patroni, on the copies too.
 */
const OF_PATRONI =
  "^(listen_addresses|port|cluster_name|(data|unix_socket)_director(y|ies)|(hba|ident|external_pid)_file|synchronous_standby_names" +
  "|primary_(conninfo|slot_name)|promote_trigger_file|restore_command|archive_cleanup_command|recovery_(end_command|min_apply_delay)" +
  "|recovery_target(_.*)?|hot_standby)$";

const RESTARTING =
  "lower(name) IN (SELECT lower(name) FROM pg_settings WHERE context = 'postmaster')";

/** Which of its files' lines are ALTER SYSTEM's, and are taken back. @param also those of other settings than Patroni's. */
const ofAltered = (also: string) =>
  `sourcefile LIKE '%/postgresql.auto.conf' AND (lower(name) ~ ${literal(OF_PATRONI)} OR ${also})`;

const takeBack = (
  also: string,
) => `SELECT format('ALTER SYSTEM RESET %I', name) FROM (SELECT DISTINCT lower(name) AS name FROM pg_file_settings
  WHERE ${ofAltered(also)}) AS altered \\gexec
SELECT pg_reload_conf();
`;

/** What was never in force would win over what runs at Patroni's first restart. */
const TAKE_BACK = takeBack(`error = 'setting could not be applied' AND ${RESTARTING}`);

/** A copy has started with it by now; what the server runs with has come by the DCS. */
const TAKE_BACK_ON_COPY = takeBack(RESTARTING);

/**
 * Takes back on a member that follows a server what ALTER SYSTEM has set there and is Patroni's. Patroni counts then anew what
 * waits for a restart.
 */
export function takeBackSettings(port: number): string {
  const asked = `SELECT count(*) FROM pg_file_settings WHERE ${ofAltered(RESTARTING)};\n`;
  return `found=$(${runSql(port, "postgres", asked).trimEnd()}
)
if [ "$found" != 0 ]; then
${runSql(port, "postgres", TAKE_BACK_ON_COPY)}
systemctl reload ${patroni.unit}
fi`;
}

/**
 * The same of a server that is to restart at once: the one restart brings all that waits for one, and its copies begin with
 * what it has then.
 */
export function takeBackBeforeRestart(port: number): string {
  return runSql(port, "postgres", TAKE_BACK_ON_COPY).trimEnd();
}

/**
 * A script that has the server read the lines which Patroni will write, and prints what it makes of them: it parses its
 * files for that question alone, and goes on with what it has loaded. Whatever becomes of it, the files are then as before.
 */
export function tryRules(source: Source, superuser: string, hba: readonly string[]): string {
  const files = [
    { file: source.hbaFile, lines: hba },
    { file: source.identFile, lines: source.ident },
  ].filter(({ lines }) => lines.length > 0);
  const putBack = files
    .map(
      ({ file }) =>
        `if as "$user" test -e ${quote(`${file}.tried`)}; then as "$user" mv -- ${quote(`${file}.tried`)} ${quote(file)}; fi`,
    )
    .join("\n");
  return `(${findServer(source.port, superuser)}
${serverRequired(source.port)}
put_back() {
${putBack}
}
put_back
trap put_back EXIT
${files
  .map(
    ({ file, lines }) => `as "$user" cp -p -- ${quote(file)} ${quote(`${file}.tried`)}
as "$user" tee -- ${quote(file)} >/dev/null ${hereDocument(`${lines.join("\n")}\n`)}`,
  )
  .join("")}ask postgres ${hereDocument(LOADED_RULES)})`;
}

/**
 * The roles that Patroni connects with, where they are not there; without passwords, which they get later. A superuser
 * that is new, or that the server was not asked as, is let in too: Patroni asks the server before it writes pg_hba.conf.
 * What is Patroni's to set is taken back where ALTER SYSTEM has set it.
 */
export function createRoles({
  source,
  superuser,
  roles,
}: Pick<AdoptionInputs, "source" | "superuser" | "roles">): string {
  const absent = (name: string) => !source.roles.includes(name);
  const entry = `local all ${roles.superuser} peer`;
  const file = quote(source.hbaFile);
  const letIn = `as "$user" grep -qxF ${quote(entry)} ${file} || as "$user" sed -i ${quote(`1i ${entry}`)} ${file}`;
  const lines = [
    absent(roles.superuser) && `CREATE ROLE ${roles.superuser} SUPERUSER LOGIN`,
    absent(roles.replication) && `CREATE ROLE ${roles.replication} REPLICATION LOGIN`,
    absent(roles.rewind) && `CREATE ROLE ${roles.rewind} LOGIN`,
  ].filter((line) => line !== false);
  const sql = [
    ...lines.map(
      (line) =>
        `SELECT ${literal(line)} WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${literal(line.split(" ")[2] ?? "")}) \\gexec`,
    ),
    // What pg_rewind needs of a role that is no superuser (PostgreSQL, pg_rewind, "Notes").
    ...[
      "pg_ls_dir(text, boolean, boolean)",
      "pg_stat_file(text, boolean)",
      "pg_read_binary_file(text)",
      "pg_read_binary_file(text, bigint, bigint, boolean)",
    ].map((name) => `GRANT EXECUTE ON FUNCTION pg_catalog.${name} TO ${roles.rewind};`),
    TAKE_BACK,
  ];
  return `(${findServer(source.port, superuser)}
${serverRequired(source.port)}
${absent(roles.superuser) || superuser !== roles.superuser ? letIn : ":"}
ask postgres ${hereDocument(`${sql.join("\n")}\n`)})`;
}

/**
 * Keeps the host from starting the server beside Patroni, without stopping it: its unit goes on until it ends. A file
 * that stands where the mask belongs is among those that were kept.
 */
export function maskServer({ unit, enabled }: Source): string {
  const units = [...new Set([...enabled, ...(unit === "" ? [] : [unit])])];
  return units
    .map((one) => `rm -f ${UNITS}/*.wants/${quote(one)}\nln -sfn /dev/null ${UNITS}/${quote(one)}`)
    .concat(units.length > 0 ? ["systemctl daemon-reload"] : [])
    .join("\n");
}

/** Puts the files of the server's configuration back as they were, and takes Patroni's away. */
export function restoreOriginal(source: Source): string {
  const { configDirectory, unit, enabled, dataDirectory } = source;
  const names = ["postgresql.conf", "postgresql.base.conf"]
    .flatMap((name) => [name, `${name}.backup`])
    .concat("pg_hba.conf.backup", "pg_ident.conf.backup")
    .map((name) => `${configDirectory}/${name}`)
    .concat(`${dataDirectory}/patroni.dynamic.json`);
  const putBack = `rm -f ${words(names)}
tar -C / -xpf - --exclude=${quote(UNITS.slice(1))} <&3`;
  const unitFile = `${UNITS}/${unit}`.slice(1);
  return `for kept in ${KEPT} ${KEPT_EARLIER}; do
if [ ! -f "$kept" ]; then continue; fi
{
${asUser("postgres", putBack)}
} 3<"$kept"
done
${[...new Set([...enabled, ...(unit === "" ? [] : [unit])])]
  .map(
    (one) => `[ "$(readlink ${UNITS}/${quote(one)})" = /dev/null ] && rm -f ${UNITS}/${quote(one)}`,
  )
  .join("\n")}
${
  unit === ""
    ? ""
    : `for kept in ${KEPT_UNIT} ${KEPT_EARLIER}; do
  if [ -f "$kept" ] && tar -tf "$kept" | grep -qxF ${quote(unitFile)}; then tar -C / -xpf "$kept" ${quote(unitFile)}; fi
done`
}
systemctl daemon-reload
${enabled.map((one) => `systemctl enable -q ${quote(one)}`).join("\n")}`;
}

/** Takes from the server what only the cluster needed: slots, whose WAL nobody would ever take, and roles it had not. */
export function leaveCluster(
  source: Source,
  superuser: string,
  roles: readonly string[],
  slots: readonly string[],
): string {
  // What nobody has looked for may be somebody else's.
  const before = [...source.roles, ...(source.backupRoles ?? ROLES_OF_BACKUPS)];
  const created = roles.filter((name) => !before.includes(name));
  const others = slots.filter((name) => !source.slots.some((slot) => slot.name === name));
  const ofCluster = `slot_name IN (${["", ...others].map(literal).join(", ")})`;
  const sql = [
    "SELECT pg_reload_conf();",
    // Who streams from one comes by a load balancer, which may not have noticed yet that Patroni is gone.
    `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active AND ${ofCluster};`,
    `DO $$ BEGIN FOR tenth IN 1..100 LOOP EXIT WHEN NOT EXISTS (SELECT FROM pg_replication_slots WHERE active AND ${ofCluster}); PERFORM pg_sleep(0.1); END LOOP; END $$;`,
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE ${ofCluster};`,
    ...created.map(
      (name) =>
        // What the cluster has made as one of them, it has made for the server.
        `SELECT format('REASSIGN OWNED BY %I TO %I', rolname, current_user), format('DROP OWNED BY %I', rolname), format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname = ${literal(name)} \\gexec`,
    ),
  ];
  // A superuser may have made things anywhere; the others have none.
  const everywhere = created.includes("postgres")
    ? `for database in $(ask postgres ${hereDocument("SELECT encode(convert_to(datname, 'UTF8'), 'base64') FROM pg_database WHERE datallowconn AND datconnlimit <> -2;\n")}); do
ask "$(printf %s "$database" | base64 -d)" ${hereDocument("SELECT format('REASSIGN OWNED BY postgres TO %I', current_user) FROM pg_roles WHERE rolname = 'postgres' \\gexec\n")}done`
    : "";
  return `(${findServer(source.port, superuser)}
${serverRequired(source.port)}
${everywhere}
ask postgres ${hereDocument(`${sql.join("\n")}\n`)})`;
}

/** Ends the server that Patroni has started, and starts it the way it was started before. */
export function startByItself(source: Source, superuser: string): string {
  const { unit, port, binDirectory, dataDirectory, configDirectory } = source;
  const control = `${quote(binDirectory)}/pg_ctl`;
  const data = quote(dataDirectory);
  const stop = `if runuser -u postgres -- ${control} status -D ${data} >/dev/null; then
${stopServer(control, data)}
fi`;
  const start =
    unit === ""
      ? // A unit of its own for the time until the host restarts: otherwise the server would end with this session.
        `systemd-run -q --collect -p Type=forking -p User=postgres -p TimeoutStartSec=infinity ${control} start -w -D ${data} -l ${data}/by-hand.log -o ${quote(`-c config_file=${configDirectory}/postgresql.conf`)}`
      : `${resetFailed(unit)}\nsystemctl start ${quote(unit)}`;
  const last = `CHECKPOINT;\n${ARCHIVING_FAILS}`;
  // The first checkpoint while clients still work makes the last one, when they cannot, a short one.
  return `failing=$( (${findServer(port, superuser)}
# A server that does not answer is ended all the same.
[ -z "$server" ] || ask postgres 2>/dev/null ${hereDocument(last)}) || :)
cd /
${stop}
${start}`;
}

/** The end of a rollback: what was kept is not needed any more, and stays for whoever wants to compare. */
export function forgetOriginal(): string {
  return `[ ! -e ${ORIGINAL} ] || mv ${ORIGINAL} ${ORIGINAL}.rolled-back-"$(date -u +%Y%m%dT%H%M%SZ)"`;
}
