// What holds in every session that pgherd has with a server. A client's own settings win over those that its role or its
// database was given (PostgreSQL, "Setting Parameters"; guc.h, GucSource): whoever owns a database sets none of these.

/** Names and operators are PostgreSQL's own; temporary tables, which come first unless they are named, come last. */
const SEARCH_PATH = "search_path=pg_catalog,pg_temp";

/** Settings that any role may set, in all versions from 13 on. */
const FOR_ALL = [
  SEARCH_PATH,
  // SET ROLE of a lesser one, by ALTER DATABASE: nothing could be created.
  "role=none",
  // A library that is not there ends every login.
  "local_preload_libraries=",
  // How what we write is read.
  "standard_conforming_strings=on",
  "client_encoding=UTF8",
  // How what we read is written.
  "quote_all_identifiers=off",
  "DateStyle=ISO",
  "IntervalStyle=postgres",
  "bytea_output=hex",
  "client_min_messages=warning",
  // What would end our work, or forbid it. A lock that somebody holds does not keep a run for ever.
  "default_transaction_read_only=off",
  "default_transaction_deferrable=off",
  "statement_timeout=0",
  "idle_in_transaction_session_timeout=0",
  "lock_timeout=60s",
];

/** For superusers only. */
const FOR_SUPERUSERS = ["lc_messages=C"];

const options = (settings: readonly string[]) => settings.map((one) => `-c ${one}`).join(" ");

/** The environment variable PGOPTIONS of a role that is no superuser. */
export const SESSION_OPTIONS = options(FOR_ALL);

/** PGOPTIONS of a superuser. */
export const SUPERUSER_OPTIONS = options([...FOR_ALL, ...FOR_SUPERUSERS]);

/**
 * For Barman's connection strings, which it splits at every space, quoted or not (barman/postgres.py, parse_dsn): there
 * is room for one setting. Barman's role is no superuser, and the database `postgres` belongs to one.
 */
export const BARMAN_OPTION = `options=-c${SEARCH_PATH}`;

/** What the receiver of WAL calls itself to a server (application_name). */
export const RECEIVER_NAME = "barman_receive_wal";
