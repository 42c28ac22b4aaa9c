import type { FoundSource, SourceDetails } from "../src/facts/source";
import type { Source } from "../src/resources/inputs";

/** A server as Debian's package makes it, with one application's database. */
export const SOURCE: Source = {
  systemIdentifier: "7400000000000000001",
  version: 17,
  port: 5432,
  dataDirectory: "/var/lib/postgresql/17/main",
  configDirectory: "/etc/postgresql/17/main",
  binDirectory: "/usr/lib/postgresql/17/bin",
  hbaFile: "/etc/postgresql/17/main/pg_hba.conf",
  identFile: "/etc/postgresql/17/main/pg_ident.conf",
  unit: "postgresql@17-main.service",
  enabled: ["postgresql.service"],
  checksums: false,
  configured: {
    data_directory: "/var/lib/postgresql/17/main",
    hba_file: "/etc/postgresql/17/main/pg_hba.conf",
    cluster_name: "17/main",
    listen_addresses: "*",
    port: "5432",
    max_connections: "120",
    shared_buffers: "128MB",
    work_mem: "6MB",
    ssl: "on",
  },
  running: {
    listen_addresses: "*",
    max_connections: "120",
    max_wal_senders: "10",
    max_replication_slots: "10",
    max_prepared_transactions: "0",
    max_locks_per_transaction: "64",
    max_worker_processes: "8",
    track_commit_timestamp: "off",
    wal_level: "replica",
    wal_log_hints: "off",
    unix_socket_directories: "/var/run/postgresql",
  },
  restarting: [
    "max_connections",
    "shared_buffers",
    "wal_level",
    "wal_log_hints",
    "listen_addresses",
  ],
  hba: ["local all postgres peer", "host shop shop 10.0.0.0 255.255.255.0 scram-sha-256"],
  ident: [],
  slots: [
    { name: "archive", type: "physical", database: null, plugin: null },
    { name: "feed", type: "logical", database: "shop", plugin: "pgoutput" },
  ],
  roles: ["postgres"],
};

export const DETAILS: SourceDetails = {
  fullVersion: "17.6 (Debian 17.6-0+deb13u1)",
  inRecovery: false,
  user: "postgres",
  programReplaced: false,
  databases: [
    {
      name: "shop",
      size: 5 * 2 ** 30,
      collation: "de_DE.UTF-8",
      provider: "libc",
      extensions: ["pg_trgm"],
      unloggedTables: 0,
    },
  ],
  roles: ["postgres", "shop"],
  altered: ["work_mem"],
  files: ["/etc/postgresql/17/main/postgresql.conf"],
  errors: [],
  standbys: [],
  preparedTransactions: 0,
  oldestTransaction: 2,
  tablespaces: [],
  clients: [
    { user: "shop", database: "shop", address: "10.0.0.50", application: "app", sessions: 3 },
  ],
  libraries: [{ name: "pg_trgm", package: "postgresql-17" }],
  namedFiles: [],
  glibc: "2.41",
  keptForSlots: 0,
};

export const FOUND: FoundSource = { source: SOURCE, details: DETAILS };
