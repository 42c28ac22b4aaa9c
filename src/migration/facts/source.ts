import { overridesOf, type SessionOverride } from "../../facts/overrides";
import { FOR_PATRONIS_SESSIONS } from "../../promises";
import { packageManager } from "../../distributions/distributions";
import { FactError } from "../../errors";
import type { Probe } from "../../host/host";
import { hereDocument } from "../../host/shell";
import type { Source } from "../inputs/source";
import { findServer, serverRequired } from "../../facts/find-server";
import { HBA_ROWS, IDENT_ROWS, IS_LOADED, MAPPINGS } from "../../facts/loaded-rules";
import { RULE_FILES } from "../../facts/rule-files";
import { DATABASE_LOCALES } from "./database-locales";
import { readSource, readTold, readWaiting } from "./source-answer";
import { unitFilesScript } from "./unit-files";
import { identifier } from "../../facts/sql";
import { serviceOf } from "../../facts/systemd";

/** Where a migration keeps what it found, and the files as they were, from before its first change. */
export const ORIGINAL = "/var/lib/pgherd/migration";

/** A setting that its server does not run with yet. */
export interface WaitingSetting {
  readonly name: string;
  /** What its files say: `300MB`. */
  readonly file: string;
  /** The file that says so. */
  readonly from: string;
  readonly running: string;
}

/** Whether a file is the one that ALTER SYSTEM writes. */
export function isAltered(file: string): boolean {
  return file.endsWith("/postgresql.auto.conf");
}

/** What is true of a server only now: what a person wants to know, and what may forbid a migration. */
export interface SourceDetails {
  /** e.g. `17.6 (Debian 17.6-0+deb13u1)` */
  readonly fullVersion: string;
  readonly inRecovery: boolean;
  /** The user of the operating system that runs it. */
  readonly user: string;
  /** Whether the program on disk is another one than the one that runs. */
  readonly programReplaced: boolean;
  readonly databases: readonly SourceDatabase[];
  /** Login roles. */
  readonly roles: readonly string[];
  /** Settings that stand in postgresql.auto.conf, where ALTER SYSTEM puts them. */
  readonly altered: readonly string[];
  /** Settings that no cluster takes over and whose values nobody is shown: `["restore_command"]`. */
  readonly leftOut: readonly string[];
  /** Files that settings come from. */
  readonly files: readonly string[];
  /** Errors in postgresql.conf and pg_hba.conf, which a reload would run into. */
  readonly errors: readonly string[];
  /** Standbys that stream from it. */
  readonly standbys: readonly { readonly name: string; readonly address: string }[];
  /** What it has set for roles and databases of the settings that Patroni's sessions cannot do with every value of. */
  readonly overrides: readonly SessionOverride[];
  readonly preparedTransactions: number;
  /** Seconds that the oldest open transaction of a client has lasted. */
  readonly oldestTransaction: number;
  readonly tablespaces: readonly { readonly name: string; readonly location: string }[];
  /** Clients that are connected now, by role, database and address. */
  readonly clients: readonly Client[];
  /** What the database loads beyond PostgreSQL itself. */
  readonly libraries: readonly Library[];
  /** Other files that settings name, e.g. of certificates. */
  readonly namedFiles: readonly string[];
  /** Directories that settings name, e.g. of its log. */
  readonly namedDirectories: readonly string[];
  /** Where ALTER SYSTEM has put what a server does not start without: `{ name: "hba_file", path: "/etc/shop/hba.conf" }`. */
  readonly copiedPlaces: readonly { readonly name: string; readonly path: string }[];
  /** Groups of the operating system that settings name. */
  readonly namedGroups: readonly string[];
  /** What the C library needs for all its databases and settings: `de_DE.UTF-8`. */
  readonly locales: readonly string[];
  /** Roles whose password is stored as MD5. */
  readonly md5Roles: readonly string[];
  /** Settings of which its files say something else than what it runs with, since it was not restarted. */
  readonly pending: readonly WaitingSetting[];
  /** Servers of PostgreSQL beside it that run on the same host. */
  readonly otherServers: readonly { readonly port: number; readonly directory: string }[];
  /** What somebody has given its unit beside what the package has: `/etc/systemd/system/postgresql@.service.d/limits.conf`. */
  readonly unitFiles: readonly string[];
  /** Where Debian keeps the configuration of others, whether they run or not: `/etc/postgresql/17/main`. */
  readonly otherInstances: readonly string[];
  /** The role postgres, where there is one. */
  readonly postgresRole: { readonly superuser: boolean; readonly login: boolean } | null;
  /** Version of the C library, which collations come from: `2.41`. */
  readonly glibc: string;
  /** Bytes of WAL that are kept for the slot that is furthest behind. */
  readonly keptForSlots: number;
}

export interface SourceDatabase {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly collation: string;
  /** `libc`, `icu` or `builtin`. */
  readonly provider: string;
  readonly extensions: readonly string[];
  readonly unloggedTables: number;
  /** Why it lets nobody in, so that it was not looked into: ALLOW_CONNECTIONS is false, or its dropping was cut off. */
  readonly closed?: "allowConnections" | "dropping";
}

/** Sessions of one role in one database from one address. */
export interface Client {
  readonly user: string;
  readonly database: string;
  /** Empty for the local socket. */
  readonly address: string;
  readonly application: string;
  readonly sessions: number;
}

export interface Library {
  /** In PostgreSQL's own folder by its name, `pg_stat_statements`; elsewhere by its path. */
  readonly name: string;
  /** The Debian package that it comes from; empty where it comes from none. */
  readonly package: string;
}

/** A server that runs already: what a migration keeps of it, and what is true of it now. */
export interface FoundSource {
  readonly source: Source;
  readonly details: SourceDetails;
}

/** The settings that Patroni always gives a server (patroni/postgresql/config.py, CMDLINE_OPTIONS). */
export const ALWAYS_SET: readonly string[] = [
  ...["max_connections", "max_wal_senders", "max_replication_slots", "max_prepared_transactions"],
  ...["max_locks_per_transaction", "max_worker_processes", "track_commit_timestamp"],
  ...["wal_level", "wal_log_hints", "listen_addresses", "unix_socket_directories"],
];

/** Roles that Patroni connects with, in all clusters of pgherd. */
const OWN_ROLES = ["postgres", "replicator", "rewinder"];

/** Roles that Barman connects as, in all clusters with backups, and in many that others have set up. */
export const ROLES_OF_BACKUPS: readonly string[] = ["barman", "streaming_barman"];

/** Settings that name a file which the server reads, as soon as it encrypts connections. */
const NAMING_FILES = [
  ...["ssl_cert_file", "ssl_key_file", "ssl_ca_file", "ssl_crl_file", "ssl_dh_params_file"],
  "krb_server_keyfile",
];

const list = (names: readonly string[]) => names.map((name) => `'${name}'`).join(", ");

/** Which of these roles there are, as JSON. */
export const rolesAmong = (names: readonly string[]) =>
  `(select coalesce(json_agg(rolname order by rolname), '[]') from pg_roles where rolname in (${list(names)}))`;

/** What a server says of a setting in a file that needs a restart, or that it cannot take (guc.c). */
const NOT_APPLIED = "setting could not be applied";

/** The last line of its files for each setting; of what waits for a restart, what it runs with. */
const CONFIGURED = `select distinct on (lower(name)) lower(name) as name, setting, sourcefile, error is not null as waits
      from pg_file_settings where name is not null
        and (error is null or error = '${NOT_APPLIED}' and lower(name) in (select lower(name) from pg_settings where context = 'postmaster'))
      order by lower(name), seqno desc`;

/** What its files say and it does not run with, as JSON. */
const WAITING = `(select coalesce(json_agg(json_build_object('name', name, 'file', setting, 'from', sourcefile, 'running', current_setting(name)) order by name), '[]')
      from (${CONFIGURED}) as last where waits)`;

/** What a server's files say that it does not run with, since it was not restarted. */
export function waitingSettingsProbe(port: number, superuser: string): Probe<WaitingSetting[]> {
  return {
    script: `${findServer(port, superuser)}
${serverRequired(port)}
ask postgres ${hereDocument(`select ${WAITING};\n`)}`,
    parse: (output) => readWaiting(JSON.parse(output)),
  };
}

const SERVER = `${MAPPINGS}
select json_build_object(
  'systemIdentifier', (select system_identifier::text from pg_control_system()),
  'version', current_setting('server_version_num')::int / 10000,
  'fullVersion', current_setting('server_version'),
  'inRecovery', pg_is_in_recovery(),
  'checksums', current_setting('data_checksums') = 'on',
  'hbaFile', current_setting('hba_file'),
  'identFile', current_setting('ident_file'),
  'configFile', current_setting('config_file'),
  'configured', (select coalesce(json_object_agg(name, case when waits then current_setting(name) else setting end), '{}') from (${CONFIGURED}) as last),
  'pending', ${WAITING},
  'given', (select coalesce(json_object_agg(lower(name), current_setting(name)), '{}') from pg_settings where source = 'command line'),
  'running', (select json_object_agg(lower(name), current_setting(name)) from pg_settings where name in (${list(ALWAYS_SET)})),
  'restarting', (select json_agg(lower(name) order by name) from pg_settings where context = 'postmaster'),
  'hba', ${HBA_ROWS},
  'ident', ${IDENT_ROWS},
  'ruleFiles', ${RULE_FILES},
  'slots', (select coalesce(json_agg(json_build_object('name', slot_name, 'type', slot_type, 'database', database,
      'plugin', plugin) order by slot_name), '[]') from pg_replication_slots where not temporary),
  'ownRoles', ${rolesAmong(OWN_ROLES)},
  'backupRoles', ${rolesAmong(ROLES_OF_BACKUPS)},
  'postgresRole', (select json_build_object('superuser', rolsuper, 'login', rolcanlogin) from pg_roles where rolname = 'postgres'),
  'md5Roles', (select coalesce(json_agg(rolname order by rolname), '[]') from pg_authid where rolcanlogin and rolpassword like 'md5%'),
  'makesMd5', current_setting('password_encryption') = 'md5',
  'locales', ${DATABASE_LOCALES},
  'databases', (select json_agg(json_build_object('name', datname, 'size', pg_database_size(oid), 'collation', datcollate,
      'provider', to_json(pg_database)->>'datlocprovider', 'closed', case when not datallowconn then 'allowConnections'
      when datconnlimit = -2 then 'dropping' end) order by datname) from pg_database where datallowconn or datname <> 'template0'),
  'roles', (select json_agg(rolname order by rolname) from pg_roles where rolcanlogin),
  'altered', (select coalesce(json_agg(distinct lower(name)), '[]') from pg_file_settings where sourcefile like '%/postgresql.auto.conf' and name is not null),
  'files', (select coalesce(json_agg(distinct sourcefile), '[]') from pg_file_settings),
  'errors', (select coalesce(json_agg(message), '[]') from (
      select sourcefile || ':' || sourceline || ': ' || error as message from pg_file_settings
        where error is not null and (error <> '${NOT_APPLIED}'
          or lower(name) not in (select lower(name) from pg_settings where context = 'postmaster'))
      union all select 'pg_hba.conf:' || line_number || ': ' || error from pg_hba_file_rules where not ${IS_LOADED}) as wrong),
  'standbys', (select coalesce(json_agg(json_build_object('name', application_name, 'address', coalesce(host(client_addr), ''))), '[]')
      from pg_stat_replication),
  'overrides', ${overridesOf(Object.keys(FOR_PATRONIS_SESSIONS))},
  'preparedTransactions', (select count(*) from pg_prepared_xacts),
  'oldestTransaction', (select coalesce(max(extract(epoch from now() - xact_start)), 0)::int from pg_stat_activity
      where backend_type = 'client backend' and pid <> pg_backend_pid()),
  'tablespaces', (select coalesce(json_agg(json_build_object('name', spcname, 'location', pg_tablespace_location(oid))), '[]')
      from pg_tablespace where pg_tablespace_location(oid) <> ''),
  'clients', (select coalesce(json_agg(json_build_object('user', usename, 'database', datname, 'address', address,
      'application', application_name, 'sessions', sessions)), '[]') from (
      select usename, datname, coalesce(host(client_addr), '') as address, min(application_name) as application_name, count(*) as sessions
      from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()
      group by 1, 2, 3 order by 1, 2, 3) as sessions),
  'namedFiles', (select coalesce(json_agg(setting), '[]') from pg_settings where name in (${list(NAMING_FILES)}) and setting like '/%'
      and current_setting('ssl') = 'on'),
  'keptForSlots', (select coalesce(max(pg_wal_lsn_diff(case when pg_is_in_recovery() then null else pg_current_wal_lsn() end, restart_lsn)), 0)::bigint
      from pg_replication_slots));
`;

const DATABASE = `select json_build_object('extensions', (select coalesce(json_agg(extname order by extname), '[]') from pg_extension where extname <> 'plpgsql'),
  'unloggedTables', (select count(*) from pg_class where relpersistence = 'u' and relkind = 'r'));
`;

/** Libraries that the server loads for all, a line each. Ours alone is without those of `local_preload_libraries`. */
const PRELOADED = `select distinct trim(both ' "' from library) from unnest(string_to_array(
    concat_ws(',', nullif(current_setting('shared_preload_libraries'), ''), nullif(current_setting('session_preload_libraries'), ''),
    nullif(current_setting('archive_library', true), ''), nullif(current_setting('oauth_validator_libraries', true), ''),
    (select nullif(setting, '') from pg_file_settings where name = 'local_preload_libraries' and error is null order by seqno desc limit 1)), ',')) as library
  where trim(library) <> '';
`;

/** One whose dropping was cut off lets nobody in (PostgreSQL, pg_database, datconnlimit). */
const DATABASES = "select datname from pg_database where datallowconn and datconnlimit <> -2;\n";

const LIBRARIES =
  "select distinct probin from pg_proc where probin is not null and oid >= 16384;\n";

/** Bytes of an answer: of the whole server, and of one database. */
const SERVER_BYTES = 4_000_000;
const DATABASE_BYTES = 200_000;

/** A here-document, and what stands on the command's line after it. */
function withRest(text: string, rest: string): string {
  return hereDocument(text).replace("\n", ` ${rest}\n`).trimEnd();
}

/**
 * The server that runs on this port, whoever has installed it: its process tells where everything of it is.
 * @param superuser as whom the server's own user of the operating system logs in on its socket.
 * @throws FactError if no server runs on this port, or it does not let that user in.
 */
export function sourceProbe(port: number, superuser: string): Probe<FoundSource> {
  return {
    script: `${findServer(port, superuser)}
tell() {
  printf %s "$1"
  shift
  for word; do printf ' %s' "$(printf %s "$word" | base64 -w0)"; done
  echo
}
if [ -z "$server" ]; then tell none "$several" "$found" "$passed"; exit 0; fi
answer=$( (code=0; ask postgres 2>&1 ${withRest(SERVER, "|| code=$?")}
printf '\\n%s' "$code") | head -c ${SERVER_BYTES})
tell server "\${answer%"$newline"*}" "\${answer##*"$newline"}"
tell user "$user"
[ "\${answer##*"$newline"}" = 0 ] || exit 0
tell data "$data"
tell program "$program"
unit=$(${serviceOf("$server")})
tell unit "$unit"
if [ -n "$unit" ]; then
  tell unitfiles "$(${unitFilesScript('"$unit"')})"
fi
# Whose servers else are on this host: those that run, and Debian's, which may start with it.
printf '%s\\n' "$beside" | while read -r process number at; do
  [ -z "$process" ] || tell neighbour "$number" "$at"
done
for one in /etc/postgresql/*/*/postgresql.conf; do
  [ ! -e "$one" ] || tell instance "\${one%/*}"
done
# What it is given besides settings (Debian, pg_createcluster, "environment"); not all have such a file.
for one in /etc/postgresql/*/*/environment; do
  # Where he may not read it there is none.
  if as "$user" grep -q '^[[:space:]]*[A-Za-z0-9_]' "$one" 2>/dev/null; then tell environment "$one"; fi
done
for one in $unit postgresql.service; do
  # There may be no such unit.
  if [ "$(systemctl is-enabled "$one" 2>/dev/null)" = enabled ]; then tell enabled "$one"; fi
done
tell glibc "$(getconf GNU_LIBC_VERSION | cut -d' ' -f2)"
# The program of a server is run as its user. Not all who install a server install this one.
libdir=$(as "$user" "$bin/pg_config" --pkglibdir 2>/dev/null | head -c 4096)
case $libdir in /*) ;; *) libdir=\${bin%/bin}/lib ;; esac
# What a database answers, if it does within what is read of it; else that it does not. What it warns of is no answer.
asked() {
  # Told below by its code.
  answer=$( (code=0; ask "$1" 2>/dev/null || code=$?; printf '\\n%s' "$code") | head -c ${DATABASE_BYTES})
  if [ "\${answer##*"$newline"}" = 0 ]; then answer=\${answer%"$newline"*}; else tell unasked "$1"; answer=; fi
}
libraries() {
  printf '%s\\n' "$answer" | while IFS= read -r name; do
    name=\${name#'$libdir/'}
    name=\${name%.so}
    [ -n "$name" ] || continue
    case $name in
      *[!A-Za-z0-9_./+-]*) tell library "$name"; continue ;;
      /*) file=$name.so ;;
      *) file=$libdir/$name.so ;;
    esac
    tell library "$name" "$(${packageManager.holderOf('"$file"')})"
  done
}
asked postgres ${hereDocument(PRELOADED)}libraries
asked postgres ${hereDocument(DATABASES)}printf '%s\\n' "$answer" | while IFS= read -r database; do
  [ -n "$database" ] || continue
  asked "$database" ${hereDocument(DATABASE)}  [ -z "$answer" ] || tell database "$database" "$answer"
  asked "$database" ${hereDocument(LIBRARIES)}  libraries
done
:`,
    parse: (output) => parse(output, port, superuser),
  };
}

function parse(output: string, port: number, superuser: string): FoundSource {
  const told = readTold(output);
  const [none] = told("none");
  if (none) throw notFound(port, none);
  const [answered = ["", ""]] = told("server");
  const [text = "", code = ""] = answered;
  const user = told("user")[0]?.[0] ?? "";
  if (code !== "0") {
    const got = /^\d+$/.test(code)
      ? text
          .trim()
          .replace(/\p{Cc}+/gu, " ")
          .slice(0, 500)
      : "too long an answer";
    throw new FactError(
      `expected the user ${user}, who runs the server, to log in on its socket as ${superuser} without a password, got: ${got || "no answer in time"}`,
      // PostgreSQL says which in its own language, by one code for both (28000, miscinit.c and auth.c).
      `Set pgherd:cluster.migration.superuser. Or, if that role is not permitted to log in, have another superuser run ALTER ROLE ${identifier(superuser)} LOGIN; (where there is none: in single-user mode). ` +
        `If its login is not accepted: put "local all ${superuser} peer" first into its pg_hba.conf and reload it.`,
    );
  }
  return readSource(told, port);
}

function notFound(
  port: number,
  [several = "", found = "", passed = ""]: readonly string[],
): FactError {
  const about = passed
    .split("\n")
    .map((one) => one.replace(/\p{Cc}+/gu, " ").trim())
    .filter((one) => one !== "")
    .slice(0, 10);
  const also = about.length === 0 ? "" : ` Seen: ${about.join("; ")}.`;
  if (Number(several) > 1) {
    return new FactError(
      `expected one server of PostgreSQL on port ${port}, found ${several}.${also}`,
      "Stop those that are not to be migrated.",
    );
  }
  const others = [...new Set(found.split(" ").filter(Boolean))];
  return new FactError(
    `expected PostgreSQL to run on port ${port}, found ${others.length > 0 ? `it on port ${others.join(", ")}` : "no server at all"}.${also}`,
    others.length > 0
      ? "Set the server's port in the stack (pgherd:cluster.postgresql.port if it becomes a member, pgherd:cluster.migration.port if it stays outside), or start the right one."
      : about.length > 0
        ? "If one of these is the server, give its programs and the folders above them to root (chown -R root)."
        : "Start it, or mend pgherd:cluster.migration.from.",
  );
}
