import { FactError } from "../errors";
import type { Probe } from "../host/host";
import { hereDocument, quote } from "../host/shell";
import type { Source, SourceSlot } from "../resources/inputs";
import { inForm } from "./forms";
import { serviceOf } from "./systemd";

/** Where a migration keeps what it found, and the files as they were, from before its first change. */
export const ORIGINAL = "/var/lib/pgherd/migration";

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
  /** Files that settings come from. */
  readonly files: readonly string[];
  /** Errors in postgresql.conf and pg_hba.conf, which a reload would run into. */
  readonly errors: readonly string[];
  /** Standbys that stream from it. */
  readonly standbys: readonly { readonly name: string; readonly address: string }[];
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
const ALWAYS_SET = [
  ...["max_connections", "max_wal_senders", "max_replication_slots", "max_prepared_transactions"],
  ...["max_locks_per_transaction", "max_worker_processes", "track_commit_timestamp"],
  ...["wal_level", "wal_log_hints", "listen_addresses", "unix_socket_directories"],
];

/** Roles that Patroni connects with, in all clusters of pgherd. */
const OWN_ROLES = ["postgres", "replicator", "rewinder"];

/** Settings that name a file which the server reads. */
const NAMING_FILES = [
  ...["ssl_cert_file", "ssl_key_file", "ssl_ca_file", "ssl_crl_file", "ssl_dh_params_file"],
  "krb_server_keyfile",
];

const list = (names: readonly string[]) => names.map((name) => `'${name}'`).join(", ");

/** Without primary_conninfo, which a server that was a standby once may still have, and with a password in it. */
const SERVER = `select json_build_object(
  'systemIdentifier', (select system_identifier::text from pg_control_system()),
  'version', current_setting('server_version_num')::int / 10000,
  'fullVersion', current_setting('server_version'),
  'inRecovery', pg_is_in_recovery(),
  'checksums', current_setting('data_checksums') = 'on',
  'hbaFile', current_setting('hba_file'),
  'identFile', current_setting('ident_file'),
  'configFile', current_setting('config_file'),
  'configured', (select coalesce(json_object_agg(name, setting), '{}') from (
      select distinct on (lower(name)) lower(name) as name, setting from pg_file_settings
      where name is not null and error is null and lower(name) <> 'primary_conninfo' order by lower(name), seqno desc) as last),
  'given', (select coalesce(json_object_agg(lower(name), current_setting(name)), '{}') from pg_settings where source = 'command line'),
  'running', (select json_object_agg(lower(name), current_setting(name)) from pg_settings where name in (${list(ALWAYS_SET)})),
  'restarting', (select json_agg(lower(name) order by name) from pg_settings where context = 'postmaster'),
  'hba', (select coalesce(json_agg(json_build_object('type', type, 'databases', database, 'users', user_name, 'address', address,
      'mask', netmask, 'method', auth_method, 'options', options)
      order by coalesce((to_json(rule)->>'rule_number')::int, line_number)), '[]') from pg_hba_file_rules as rule where error is null),
  'ident', pg_read_file(current_setting('ident_file'), 0, 1000000, true),
  'slots', (select coalesce(json_agg(json_build_object('name', slot_name, 'type', slot_type, 'database', database,
      'plugin', plugin) order by slot_name), '[]') from pg_replication_slots where not temporary),
  'ownRoles', (select coalesce(json_agg(rolname), '[]') from pg_roles where rolname in (${list(OWN_ROLES)})),
  'databases', (select json_agg(json_build_object('name', datname, 'size', pg_database_size(oid), 'collation', datcollate,
      'provider', to_json(pg_database)->>'datlocprovider') order by datname) from pg_database where datallowconn),
  'roles', (select json_agg(rolname order by rolname) from pg_roles where rolcanlogin),
  'altered', (select coalesce(json_agg(distinct lower(name)), '[]') from pg_file_settings where sourcefile like '%/postgresql.auto.conf' and name is not null),
  'files', (select coalesce(json_agg(distinct sourcefile), '[]') from pg_file_settings),
  'errors', (select coalesce(json_agg(message), '[]') from (
      select sourcefile || ':' || sourceline || ': ' || error as message from pg_file_settings
        where error is not null and error <> 'setting could not be applied'
      union all select 'pg_hba.conf:' || line_number || ': ' || error from pg_hba_file_rules where error is not null) as wrong),
  'standbys', (select coalesce(json_agg(json_build_object('name', application_name, 'address', coalesce(host(client_addr), ''))), '[]')
      from pg_stat_replication),
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
  'preloaded', (select coalesce(json_agg(distinct trim(both ' "' from library)), '[]') from unnest(string_to_array(
      concat_ws(',', nullif(current_setting('shared_preload_libraries'), ''), nullif(current_setting('session_preload_libraries'), ''),
      nullif(current_setting('local_preload_libraries'), '')), ',')) as library where trim(library) <> ''),
  'namedFiles', (select coalesce(json_agg(setting), '[]') from pg_settings where name in (${list(NAMING_FILES)}) and setting like '/%'
      and current_setting('ssl') = 'on'),
  'keptForSlots', (select coalesce(max(pg_wal_lsn_diff(case when pg_is_in_recovery() then null else pg_current_wal_lsn() end, restart_lsn)), 0)::bigint
      from pg_replication_slots));
`;

const DATABASE = `select json_build_object('extensions', (select coalesce(json_agg(extname order by extname), '[]') from pg_extension where extname <> 'plpgsql'),
  'unloggedTables', (select count(*) from pg_class where relpersistence = 'u' and relkind = 'r'),
  'libraries', (select coalesce(json_agg(distinct probin), '[]') from pg_proc where probin is not null and oid >= 16384));
`;

/**
 * A script that finds the server on this port: `$server` is its process below /proc, empty where there is none, `$found`
 * the ports of those that were seen, and `ask DATABASE` runs the SQL on its standard input.
 */
export function findServer(port: number, superuser: string): string {
  return `server= found= data=
for process in /proc/[0-9]*; do
  [ "$(cat "$process/comm" 2>/dev/null)" = postgres ] || continue
  data=$(readlink "$process/cwd") || continue
  [ "$(head -n 1 "$data/postmaster.pid" 2>/dev/null)" = "\${process##*/}" ] || continue
  found="$found $(sed -n 4p "$data/postmaster.pid")"
  [ "$(sed -n 4p "$data/postmaster.pid")" = ${port} ] && server=$process && break
done
program=$(readlink "$server/exe" || :)
bin=$(dirname "\${program% (deleted)}")
user=$(stat -c %U "$data" 2>/dev/null || :)
psql=$bin/psql
[ -x "$psql" ] || psql=psql
ask() { runuser -u "$user" -- "$psql" -XAtqw -v ON_ERROR_STOP=1 -h "$(sed -n 5p "$data/postmaster.pid" | cut -d, -f1)" -p ${port} -U ${quote(superuser)} -d "$1"; }
cd /`;
}

/**
 * The server that runs on this port, whoever has installed it: its process tells where everything of it is.
 * @param superuser as whom the server's own user of the operating system logs in on its socket.
 * @throws FactError if no server runs on this port, or it does not let that user in.
 */
export function sourceProbe(port: number, superuser: string): Probe<FoundSource> {
  return {
    script: `${findServer(port, superuser)}
if [ -z "$server" ]; then echo "none$found"; exit 0; fi
answer=$(ask postgres 2>&1 ${hereDocument(SERVER)}) || { echo "refused $user"; echo "$answer"; exit 0; }
echo "server $(printf '%s' "$answer" | base64 -w0)"
echo "data $data"
echo "program $program"
echo "user $user"
unit=$(${serviceOf("$server")})
echo "unit $unit"
for one in $unit postgresql.service; do [ "$(systemctl is-enabled "$one" 2>/dev/null)" = enabled ] && echo "enabled $one"; done
echo "glibc $(getconf GNU_LIBC_VERSION | cut -d' ' -f2)"
libdir=$("$bin/pg_config" --pkglibdir 2>/dev/null || echo "\${bin%/bin}/lib")
library() {
  case $1 in
    /*) name=$1 file=$1 ;;
    *) name=\${1#'$libdir/'} file=$libdir/\${1#'$libdir/'}.so ;;
  esac
  echo "library \${name%.so} $(dpkg -S "$file" 2>/dev/null | head -n 1 | cut -d: -f1)"
}
for name in $(printf '%s' "$answer" | sed -n 's/.*"preloaded" : \\[\\([^]]*\\)\\].*/\\1/p' | tr -d '",'); do library "$name"; done
ask postgres <<'PGHERD' | while IFS= read -r database; do
select datname from pg_database where datallowconn;
PGHERD
  one=$(ask "$database" ${hereDocument(DATABASE)}) || continue
  echo "database $(printf '%s' "$database" | base64 -w0) $(printf '%s' "$one" | base64 -w0)"
  for name in $(printf '%s' "$one" | sed -n 's/.*"libraries" : \\[\\([^]]*\\)\\].*/\\1/p' | tr -d '",'); do library "$name"; done
done | sort -u
:`,
    parse: (output) => parse(output, port, superuser),
  };
}

interface HbaRule {
  readonly type: string;
  readonly databases: readonly string[];
  readonly users: readonly string[];
  readonly address: string | null;
  readonly mask: string | null;
  readonly method: string;
  readonly options: readonly string[] | null;
}

interface Answer
  extends
    Omit<Source, "hba" | "ident" | "slots" | "roles">,
    Omit<SourceDetails, "databases" | "libraries" | "user"> {
  readonly configFile: string;
  readonly given: { readonly [name: string]: string };
  readonly hba: readonly HbaRule[];
  readonly ident: string | null;
  readonly slots: readonly SourceSlot[];
  readonly ownRoles: readonly string[];
  readonly databases: readonly {
    readonly name: string;
    readonly size: number;
    readonly collation: string;
    readonly provider: string | null;
  }[];
}

function parse(output: string, port: number, superuser: string): FoundSource {
  const lines = output.trim().split("\n");
  const [first = ""] = lines;
  if (first.startsWith("none")) {
    const others = [...new Set(first.split(" ").slice(1))];
    throw new FactError(
      `expected PostgreSQL to run on port ${port}, found ${others.length > 0 ? `it on port ${others.join(", ")}` : "no server at all"}.`,
      others.length > 0
        ? "Set pgherd:cluster.postgresql.port to the server's, or start the right one."
        : "Start it, or mend pgherd:cluster.migration.from.",
    );
  }
  if (first.startsWith("refused")) {
    const user = first.split(" ")[1] ?? "";
    throw new FactError(
      `expected the user ${user}, who runs the server, to log in on its socket as ${superuser} without a password, got: ${lines.slice(1).join(" ")}`,
      `Set pgherd:cluster.migration.superuser, or put "local all ${superuser} peer" first into its pg_hba.conf and reload it.`,
    );
  }
  const all = (key: string) =>
    lines
      .filter((line) => line.startsWith(`${key} `))
      .map((line) => line.slice(key.length + 1).trim());
  const one = (key: string) => all(key)[0] ?? "";
  const answer = JSON.parse(decode(one("server"))) as Answer;
  const program = one("program");
  const each = new Map(
    all("database").map((line) => {
      const [name = "", found = ""] = line.split(" ");
      return [
        decode(name),
        JSON.parse(decode(found)) as Pick<SourceDatabase, "extensions" | "unloggedTables">,
      ];
    }),
  );
  return {
    source: {
      systemIdentifier: inForm(
        "systemIdentifier",
        "the server's system identifier",
        answer.systemIdentifier,
      ),
      version: answer.version,
      port,
      dataDirectory: one("data"),
      configDirectory: answer.configFile.replace(/\/[^/]*$/, ""),
      binDirectory: program.replace(/ \(deleted\)$/, "").replace(/\/[^/]*$/, ""),
      hbaFile: answer.hbaFile,
      identFile: answer.identFile,
      unit: one("unit"),
      enabled: [...new Set(all("enabled"))],
      checksums: answer.checksums,
      configured: { ...answer.configured, ...answer.given },
      running: answer.running,
      restarting: answer.restarting,
      hba: answer.hba.map(renderRule),
      ident: (answer.ident ?? "")
        .split("\n")
        .map((line) => line.replace(/#.*/, "").trim())
        .filter((line) => line !== ""),
      slots: answer.slots,
      roles: answer.ownRoles,
    },
    details: {
      fullVersion: answer.fullVersion,
      inRecovery: answer.inRecovery,
      user: one("user"),
      programReplaced: program.endsWith(" (deleted)"),
      databases: answer.databases.map(({ name, size, collation, provider }) => ({
        name,
        size,
        collation,
        provider: PROVIDERS[provider ?? "c"] ?? "libc",
        extensions: each.get(name)?.extensions ?? [],
        unloggedTables: each.get(name)?.unloggedTables ?? 0,
      })),
      roles: answer.roles,
      altered: answer.altered,
      files: answer.files,
      errors: answer.errors,
      standbys: answer.standbys,
      preparedTransactions: answer.preparedTransactions,
      oldestTransaction: answer.oldestTransaction,
      tablespaces: answer.tablespaces,
      clients: answer.clients,
      libraries: all("library").map((line) => {
        const [name = "", owner = ""] = line.split(" ");
        return { name, package: owner };
      }),
      namedFiles: answer.namedFiles,
      glibc: one("glibc"),
      keptForSlots: answer.keptForSlots,
    },
  };
}

const PROVIDERS: { readonly [letter: string]: string } = { c: "libc", i: "icu", b: "builtin" };

/** A line of pg_hba.conf; what is no plain word is quoted, but the words that have a meaning of their own are not. */
function renderRule({ type, databases, users, address, mask, method, options }: HbaRule): string {
  const names = (all: readonly string[]) => all.map(word).join(",");
  return [
    type,
    names(databases),
    names(users),
    ...(address === null ? [] : [address]),
    ...(mask === null ? [] : [mask]),
    method,
    ...(options ?? []).map((option) => (/\s/.test(option) ? `"${option}"` : option)),
  ].join(" ");
}

function word(text: string): string {
  return /^[+/]?[A-Za-z0-9_.$-]+$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
}

function decode(text: string): string {
  return Buffer.from(text, "base64").toString();
}
