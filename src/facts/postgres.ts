import { ANY_HOST, forMajor } from "../distributions/distributions";
import type { Probe } from "../host/host";
import { hereDocument } from "../host/shell";
import { postgresSession } from "./sql";

/**
 * A psql call over the local socket as the superuser; the SQL follows on standard input. psql itself, not Debian's wrapper,
 * and without a session of its own: both take several times as long as a query does. A server that was built by hand
 * and has not been restarted since it was adopted has its socket where PostgreSQL's own default is.
 */
export function psql(port: number, database: string): string {
  return postgresSession(socketOf(port), port, database);
}

function socketOf(port: number): string {
  const { sockets } = ANY_HOST.paths;
  return `"$([ -S ${sockets}/.s.PGSQL.${port} ] || [ ! -S /tmp/.s.PGSQL.${port} ] && echo ${sockets} || echo /tmp)"`;
}

/**
 * A command that succeeds if a server answers that lets clients in, or turns them away one by one; not while it starts or stops,
 * which it tells by a code, whatever its language (PostgreSQL, "PQping").
 */
export function isOpen(port: number): string {
  const programs = forMajor(ANY_HOST.paths.programs, "*");
  return (
    "setpriv --reuid=postgres --regid=postgres --init-groups -- env -i " +
    `sh -c 'for one in ${programs}/pg_isready; do exec "$one" "$@"; done' sh -q -t ${PATIENCE_SECONDS} -h ${socketOf(port)} -p ${port}`
  );
}

/** Where a server's socket is found: /var/run is /run (FHS 3.0, 5.13). */
export const SOCKETS: readonly string[] = [
  ANY_HOST.paths.sockets,
  ANY_HOST.paths.sockets.replace(/^\/var\/run\//, "/run/"),
];

/** Seconds. A server that stands still, or has stopped in the middle, would keep us waiting. */
const PATIENCE_SECONDS = 5;

/** The same call, ended where the server does not answer in time. */
export function psqlInTime(port: number, database: string): string {
  return `timeout ${PATIENCE_SECONDS} ${psql(port, database)}`;
}

/** What the server on this host's port answers, of which `parse` makes something; `undefined` where it does not answer. */
export function ifUpProbe<T>(
  port: number,
  sql: string,
  parse: (output: string) => T,
): Probe<T | undefined> {
  return {
    // Nothing is "not known".
    script: `(cd / && ${psqlInTime(port, "postgres")} 2>/dev/null ${hereDocument(sql)}) || :`,
    parse: (output) => (output.trim() === "" ? undefined : parse(output)),
  };
}

/** Whether the server is no replica; `undefined` where it does not answer. */
export function takesWritesProbe(port: number): Probe<boolean | undefined> {
  return ifUpProbe(port, "select not pg_is_in_recovery();\n", (output) => output.trim() === "t");
}

/** Whether a server runs on this host's port, also where it turns clients away. */
export function serverRunsProbe(port: number): Probe<boolean> {
  return {
    // pg_isready(1), EXIT STATUS. Without the user there has never been one.
    script: `if id -u postgres >/dev/null 2>&1; then
  if ${isOpen(port)}; then code=0; else code=$?; fi
  case $code in 0 | 1) echo yes ;; esac
fi`,
    parse: (output) => output.trim() === "yes",
  };
}

/** A login role. */
export interface Role {
  readonly name: string;
  readonly createdb: boolean;
  readonly createrole: boolean;
  readonly connectionLimit: number;
  readonly replication: boolean;
  /** Roles that it is a member of, sorted. */
  readonly memberOf: readonly string[];
  /** Functions of the database `postgres` that it was granted, as regprocedure spells them, sorted. */
  readonly executes: readonly string[];
  /** What `ALTER ROLE … SET` has set for it, in all databases. */
  readonly settings: { readonly [name: string]: string };
  /** `SCRAM-SHA-256$…`, or empty where there is no password. */
  readonly verifier: string;
}

/** A database with its owner. */
interface Database {
  readonly name: string;
  readonly owner: string;
}

/** Roles and databases of the server on this port. */
export interface Catalog {
  readonly roles: readonly Role[];
  readonly databases: readonly Database[];
  /** Roles that cannot log in. */
  readonly closed?: readonly string[];
}

const CATALOG = `select json_build_object(
  'roles', (select json_agg(json_build_object('name', rolname, 'createdb', rolcreatedb, 'createrole', rolcreaterole,
      'connectionLimit', rolconnlimit, 'verifier', coalesce(rolpassword, ''), 'replication', rolreplication,
      'memberOf', (select coalesce(json_agg(parent.rolname order by parent.rolname), '[]')
        from pg_auth_members m join pg_roles parent on parent.oid = m.roleid where m.member = r.oid),
      'executes', (select coalesce(json_agg(p.oid::regprocedure::text order by p.oid::regprocedure::text collate "C"), '[]')
        from pg_proc p, aclexplode(p.proacl) a where a.grantee = r.oid and a.privilege_type = 'EXECUTE'),
      'settings', (select coalesce(json_object_agg(split_part(one, '=', 1), substr(one, strpos(one, '=') + 1)), '{}')
        from pg_db_role_setting s, unnest(s.setconfig) as one where s.setrole = r.oid and s.setdatabase = 0)))
    from pg_authid r where rolcanlogin),
  'closed', (select coalesce(json_agg(rolname), '[]') from pg_roles where not rolcanlogin),
  'databases', (select json_agg(json_build_object('name', datname, 'owner', pg_get_userbyid(datdba)))
    from pg_database where datallowconn));
`;

export function catalogProbe(port: number): Probe<Catalog> {
  return {
    script: `cd / && ${psql(port, "postgres")} ${hereDocument(CATALOG)}`,
    parse: (output) => JSON.parse(output) as Catalog,
  };
}

/** A schema with its owner, and the roles that were granted rights in it. */
export interface Schema {
  readonly name: string;
  readonly owner: string;
  readonly usage: readonly string[];
  readonly create: readonly string[];
}

/** Without a grant by hand a schema has its owner's rights alone (PostgreSQL, "Privileges"). */
function granted(privilege: string): string {
  return `(select coalesce(json_agg(pg_get_userbyid(grantee) order by grantee), '[]')
    from aclexplode(coalesce(nspacl, acldefault('n', nspowner))) where privilege_type = '${privilege}' and grantee <> 0)`;
}

const SCHEMAS = `select coalesce(json_agg(json_build_object('name', nspname, 'owner', pg_get_userbyid(nspowner),
    'usage', ${granted("USAGE")}, 'create', ${granted("CREATE")})), '[]')
  from pg_namespace;
`;

export function schemasProbe(port: number, database: string): Probe<Schema[]> {
  return {
    script: `cd / && ${psql(port, database)} ${hereDocument(SCHEMAS)}`,
    parse: (output) => JSON.parse(output) as Schema[],
  };
}

/** Extensions of a database. */
export interface Extensions {
  /** Names of those that are there. */
  readonly created: readonly string[];
  /** Others of the host, by name: how their control files say that they are placed. */
  readonly available: {
    readonly [name: string]: {
      /** Whether its objects can be moved to another schema. */
      readonly relocatable: boolean;
      /** The only schema that it can be in. */
      readonly schema: string | null;
    };
  };
}

const EXTENSIONS = `select json_build_object(
  'created', (select coalesce(json_agg(extname order by extname), '[]') from pg_extension),
  'available', (select coalesce(json_object_agg(name, json_build_object('relocatable', relocatable, 'schema', schema)), '{}')
    from pg_available_extension_versions join pg_available_extensions using (name)
    where version = default_version and installed_version is null));
`;

export function extensionsProbe(port: number, database: string): Probe<Extensions> {
  return {
    script: `cd / && ${psql(port, database)} ${hereDocument(EXTENSIONS)}`,
    parse: (output) => JSON.parse(output) as Extensions,
  };
}
