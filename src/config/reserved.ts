/**
 * Names that mean something already, each with what. Words that PostgreSQL takes for no role: get_rolespec_name in
 * src/backend/utils/adt/acl.c and RoleId in src/backend/parser/gram.y; those of pg_hba.conf: src/backend/libpq/hba.c.
 */
type Reserved = { readonly [name: string]: string };

/** Without what every object has: `constructor` is a free name. */
function reserved(names: Reserved): Reserved {
  return Object.assign(Object.create(null) as object, names);
}

const HBA = "which pg_hba.conf takes for something else";

export const DATABASES: Reserved = reserved({
  postgres: "which every server has, for those who look after it",
  template0: "which every server has, as it came",
  template1: "which every server has, and new databases are copied from",
  all: HBA,
  replication: HBA,
  sameuser: HBA,
  samerole: HBA,
  samegroup: HBA,
});

const SQL = "which SQL takes for no role of that name";

const ROLES: Reserved = reserved({
  postgres: "the superuser, whom Patroni works as",
  replicator: "whom replicas stream as",
  rewinder: "whom Patroni makes an old leader a replica as",
  barman: "whom backups are taken as",
  streaming_barman: "whom the backups' WAL is received as",
  public: SQL,
  none: SQL,
  current_role: SQL,
  current_user: SQL,
  session_user: SQL,
  all: HBA,
  replication: HBA,
});

const SCHEMAS: Reserved = reserved({
  information_schema: "which every database has, as the standard of SQL asks for",
});

/** What a role's name means already; nothing if it is free. */
export function roleMeans(name: string): string | undefined {
  return serversOwn(name) ?? ROLES[name];
}

/** What a schema's name means already; nothing if it is free. */
export function schemaMeans(name: string): string | undefined {
  return serversOwn(name) ?? SCHEMAS[name];
}

/** src/backend/catalog/catalog.c, IsReservedName */
function serversOwn(name: string): string | undefined {
  return name.startsWith("pg_") ? "since pg_ is the server's own beginning of names" : undefined;
}

/** Roles of PostgreSQL's own that may be granted, with the first version that has them (docs, "Predefined Roles"). */
export const GRANTABLE: ReadonlyMap<string, number> = new Map([
  ["pg_monitor", 13],
  ["pg_read_all_settings", 13],
  ["pg_read_all_stats", 13],
  ["pg_stat_scan_tables", 13],
  ["pg_signal_backend", 13],
  ["pg_read_all_data", 14],
  ["pg_write_all_data", 14],
  ["pg_checkpoint", 15],
  ["pg_use_reserved_connections", 16],
  ["pg_create_subscription", 16],
  ["pg_maintain", 17],
  ["pg_signal_autovacuum_worker", 18],
]);

/** Names of hosts that a setting or a verb takes for something else. */
export const HOSTS: Reserved = reserved({
  local: "which hooks take for the machine that runs Pulumi",
  replica: "which forks take for any replica",
  localhost: "which every host calls itself",
});

/** Names of clusters that something which is named after them takes for something else. */
export const CLUSTERS: Reserved = reserved({
  // barman/config.py: FORBIDDEN_SERVER_NAMES, and the section of its own settings.
  all: "which Barman takes for all servers",
  barman: "which Barman takes for its own settings",
});
