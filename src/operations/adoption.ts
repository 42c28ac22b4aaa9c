import { etcdctl } from "../facts/etcd";
import { literal } from "../facts/sql";
import { dcsKey } from "../facts/patroni";
import { serverProcess } from "../facts/adoption";
import { findServer, serverRequired } from "../facts/find-server";
import { psql } from "../facts/postgres";
import { ORIGINAL } from "../facts/source";
import { asUser, hereDocument, quote, words } from "../host/shell";
import type { AdoptionInputs, Source } from "../resources/inputs";
import { holdsAnything, moveBesideWithTime } from "./directories";
import { resetFailed } from "./units";

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
  const { configDirectory, dataDirectory, unit } = source;
  const record = `${ORIGINAL}/source.json`;
  const conf = quote(`${configDirectory}/conf.d`);
  // What postgres cannot replace Patroni does not either.
  const own = `set --
for file in ${quote(dataDirectory)}/postgresql.auto.conf ${quote(configDirectory)}/*.conf ${words([source.hbaFile, source.identFile])}; do
  if [ -f "$file" ] && [ -w "\${file%/*}" ]; then set -- "$@" "\${file#/}"; fi
done
if [ -d ${conf} ] && [ -w ${conf} ]; then set -- "$@" ${quote(`${configDirectory}/conf.d`.slice(1))}; fi
tar -C / -cf - --files-from=/dev/null "$@"`;
  const unitFile = `${UNITS}/${unit}`;
  return `install -d -m 0700 ${ORIGINAL}
{
${asUser("postgres", own)}
} >${KEPT}.new
${unit === "" ? "" : `if [ -f ${quote(unitFile)} ] && [ ! -L ${quote(unitFile)} ]; then tar -C / -cf ${KEPT_UNIT} ${quote(unitFile.slice(1))}; fi`}
sync ${KEPT}.new
mv ${KEPT}.new ${KEPT}
(umask 077; cat >${record}.new) ${hereDocument(`${JSON.stringify(source)}\n`)}
sync ${record}.new
mv ${record}.new ${record}`;
}

/**
 * The roles that Patroni connects with, where they are not there; without passwords, which they get later. A superuser
 * that is new is let in too: Patroni asks the server before it writes pg_hba.conf.
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
    "SELECT pg_reload_conf();",
  ];
  return `(${findServer(source.port, superuser)}
${serverRequired(source.port)}
${absent(roles.superuser) ? letIn : ":"}
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

/** Tells all members which database the cluster's is, before the first of them starts: none will make another one. */
export function claimDatabase(
  endpoints: readonly string[],
  cluster: string,
  systemIdentifier: string,
): string {
  const key = JSON.stringify(dcsKey(cluster, "initialize"));
  const transaction = `create(${key}) = "0"\n\nput ${key} ${JSON.stringify(systemIdentifier)}\n\n\n`;
  return `${etcdctl(endpoints)} txn ${hereDocument(transaction)}
found=$(${etcdctl(endpoints)} get --print-value-only ${quote(dcsKey(cluster, "initialize"))})
if [ "$found" != ${quote(systemIdentifier)} ]; then
  echo "the DCS says that the data of cluster ${cluster} has the system identifier '$found', the server's is "${quote(systemIdentifier)}". If that cluster is gone for good, remove it there: patronictl -c /etc/patroni/pgherd remove ${cluster}" >&2
  exit 1
fi`;
}

/** Moves a data directory aside that an earlier migration has left; nothing where Patroni runs or there is none. */
export function setAsideCopy(dataDirectory: string): string {
  return `if systemctl -q is-active patroni; then exit 0; fi
if ! ${holdsAnything("postgres", dataDirectory)}; then exit 0; fi
if [ -n "$(${serverProcess(dataDirectory)})" ]; then
  echo "PostgreSQL runs in "${quote(dataDirectory)}"; stop it first" >&2
  exit 1
fi
${moveBesideWithTime("postgres", dataDirectory, "before-migration")}`;
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
  const created = roles.filter((name) => !source.roles.includes(name));
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
        `SELECT format('DROP OWNED BY %I', rolname), format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname = ${literal(name)} \\gexec`,
    ),
  ];
  return `(${findServer(source.port, superuser)}
${serverRequired(source.port)}
ask postgres ${hereDocument(`${sql.join("\n")}\n`)})`;
}

/** Ends the server that Patroni has started, and starts it the way it was started before. */
export function startByItself(source: Source): string {
  const { unit, port, binDirectory, dataDirectory, configDirectory } = source;
  const control = `${quote(binDirectory)}/pg_ctl`;
  const data = quote(dataDirectory);
  const stop = `if runuser -u postgres -- ${control} status -D ${data} >/dev/null; then runuser -u postgres -- ${control} stop -m fast -w -t 600 -D ${data}; fi`;
  const start =
    unit === ""
      ? // A unit of its own for the time until the host restarts: otherwise the server would end with this session.
        `systemd-run -q --collect -p Type=forking -p User=postgres -p TimeoutStartSec=infinity ${control} start -w -D ${data} -l ${data}/by-hand.log -o ${quote(`-c config_file=${configDirectory}/postgresql.conf`)}`
      : `${resetFailed(unit)}\nsystemctl start ${quote(unit)}`;
  // The first checkpoint while clients still work makes the last one, when they cannot, a short one.
  return `(cd / && ${psql(port, "postgres")} -c checkpoint 2>/dev/null || :)
cd /
${stop}
${start}`;
}

/** The end of a rollback: what was kept is not needed any more, and stays for whoever wants to compare. */
export function forgetOriginal(): string {
  return `[ ! -e ${ORIGINAL} ] || mv ${ORIGINAL} ${ORIGINAL}.rolled-back-"$(date -u +%Y%m%dT%H%M%SZ)"`;
}
