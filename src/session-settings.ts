// What holds in every session that pgherd has with a server. A client's own settings win over those that its role or its
// database was given (PostgreSQL, "Setting Parameters"; guc.h, GucSource): whoever owns a database sets none of these.

/** Names and operators are PostgreSQL's own; temporary tables, which come first unless they are named, come last. */
const SEARCH_PATH = "search_path=pg_catalog,pg_temp";

/** A setting and its value; where it is not of PostgreSQL 13, the version that knows it first: an older one refuses the session. */
type Setting = readonly [setting: string, since?: number];

/** What would end our work, or forbid it, set for a role or a database. */
const UNDISTURBED: readonly Setting[] = [
  // SET ROLE of a lesser one, by ALTER DATABASE: nothing could be created.
  ["role=none"],
  // A library that is not there ends every login.
  ["local_preload_libraries="],
  ["default_transaction_read_only=off"],
  ["default_transaction_deferrable=off"],
  ["statement_timeout=0"],
  ["idle_in_transaction_session_timeout=0"],
  ["idle_session_timeout=0", 14],
  ["transaction_timeout=0", 17],
];

/** What is of one version and of all later ones, by version, in a superuser's session. */
const NEWER: readonly Setting[] = [
  ...UNDISTURBED.filter(([, since]) => since !== undefined),
  // Those too that fire always.
  ["event_triggers=off", 17],
];

/** Settings that any role may set, in all versions from 13 on. */
const FOR_ALL = [
  SEARCH_PATH,
  ...UNDISTURBED.filter(([, since]) => since === undefined).map(([setting]) => setting),
  // How what we write is read.
  "standard_conforming_strings=on",
  "client_encoding=UTF8",
  // How what we read is written.
  "quote_all_identifiers=off",
  "DateStyle=ISO",
  "IntervalStyle=postgres",
  "bytea_output=hex",
  "client_min_messages=warning",
  // A lock that somebody holds does not keep a run for ever.
  "lock_timeout=60s",
];

/** Of sessions that look at any server, as superusers alone do. */
const FOR_SUPERUSERS = [
  // An event trigger runs somebody's function with our rights, or forbids what we do half-way (PostgreSQL, "ALTER EVENT TRIGGER").
  "session_replication_role=replica",
  // A trigger on logins may say something to everybody who comes (PostgreSQL 17, "Event Trigger on Login").
  "client_min_messages=error",
  "lc_messages=C",
  // A replica refuses each statement of a session that is serializable. The space stands in an option.
  "default_transaction_isolation=read\\ committed",
];

const options = (settings: readonly string[]) => settings.map((one) => `-c ${one}`).join(" ");

/** The environment variable PGOPTIONS of a role that is no superuser. */
export const SESSION_OPTIONS = options(FOR_ALL);

/** Settings without which a session of a server of this version could be ended or kept from its work, as PGOPTIONS has them. */
export function undisturbed(version: number): string {
  return options(
    UNDISTURBED.filter(([, since = 0]) => version >= since).map(([setting]) => setting),
  );
}

/** What `ALTER ROLE … SET` cannot say so that it means the same: a role for itself; nothing, as a list. */
const NOT_FOR_ROLES = ["role", "local_preload_libraries"];

/**
 * The same for a role whose sessions a foreign program begins, by name: they win over the server's settings and the
 * database's (PostgreSQL, ALTER ROLE). Somebody may hold a lock for as long as a backup takes.
 */
export function ownSettings(version: number): { readonly [name: string]: string } {
  const own = UNDISTURBED.filter(([, since = 0]) => version >= since).map(([setting]) => {
    const [name = "", value = ""] = setting.split("=");
    return [name, value] as const;
  });
  return Object.fromEntries(
    [...own, ["lock_timeout", "0"] as const]
      .filter(([name]) => !NOT_FOR_ROLES.includes(name))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/**
 * Shell: adds to PGOPTIONS what the server behind `$socket` and `$port` knows beyond PostgreSQL 13, by the version of its data:
 * the lock file of a socket names their directory (PostgreSQL, miscadmin.h, LOCK_FILE_LINE_DATA_DIR).
 */
export const NEWER_OPTIONS = [
  `data=$(sed -n 2p "$socket/.s.PGSQL.$port.lock" 2>/dev/null)`,
  // One that cannot be told knows what all know.
  `version=$(cat "$data/PG_VERSION" 2>/dev/null)`,
  `case $version in '' | *[!0-9]*) version=0 ;; esac`,
  ...NEWER.map(
    ([setting, since]) => `[ "$version" -lt ${since} ] || PGOPTIONS="$PGOPTIONS -c ${setting}"`,
  ),
].join("\n");

/** PGOPTIONS of a superuser. */
export const SUPERUSER_OPTIONS = options([...FOR_ALL, ...FOR_SUPERUSERS]);

/**
 * For Barman's connection strings, which it splits at every space, quoted or not (barman/postgres.py, parse_dsn): there
 * is room for one setting. Barman's role is no superuser, and the database `postgres` belongs to one.
 */
export const BARMAN_OPTION = `options=-c${SEARCH_PATH}`;

/** What the receiver of WAL calls itself to a server (application_name). */
export const RECEIVER_NAME = "barman_receive_wal";
