import type { Probe } from "../host/host";
import { hereDocument } from "../host/shell";
import { psql } from "./postgres";
import { literal } from "./sql";

/** A role that is there, whether it may log in or not. */
export interface StandingRole {
  readonly name: string;
  readonly login: boolean;
  readonly superuser: boolean;
  readonly bypassRls: boolean;
  readonly createdb: boolean;
  readonly createrole: boolean;
  readonly replication: boolean;
  /** -1 is no limit. */
  readonly connectionLimit: number;
  /** Roles that it is a member of, sorted. */
  readonly memberOf: readonly string[];
  /** Until when its password lets anybody in; nothing where it does for ever. */
  readonly validUntil: { readonly time: string; readonly past: boolean } | null;
}

/** What is there of some names of roles and databases. */
export interface Standing {
  readonly roles: readonly StandingRole[];
  readonly databases: readonly { readonly name: string; readonly owner: string }[];
}

/** Which of these roles and databases the server has, made by whom ever. */
export function standingProbe(
  port: number,
  {
    roles,
    databases,
  }: { readonly roles: readonly string[]; readonly databases: readonly string[] },
): Probe<Standing> {
  const among = (names: readonly string[]) => `in (${["", ...names].map(literal).join(", ")})`;
  const sql = `select json_build_object(
  'roles', (select coalesce(json_agg(json_build_object('name', rolname, 'login', rolcanlogin, 'superuser', rolsuper,
      'bypassRls', rolbypassrls, 'createdb', rolcreatedb, 'createrole', rolcreaterole, 'replication', rolreplication,
      'connectionLimit', rolconnlimit,
      'memberOf', (select coalesce(json_agg(parent.rolname order by parent.rolname), '[]')
        from pg_auth_members m join pg_roles parent on parent.oid = m.roleid where m.member = r.oid),
      'validUntil', case when rolvaliduntil < 'infinity' then json_build_object('past', rolvaliduntil <= now(),
        'time', to_char(rolvaliduntil at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')) end)
      order by rolname), '[]') from pg_roles r where rolname ${among(roles)}),
  'databases', (select coalesce(json_agg(json_build_object('name', datname, 'owner', pg_get_userbyid(datdba)) order by datname), '[]')
    from pg_database where datname ${among(databases)}));
`;
  return {
    script: `cd / && ${psql(port, "postgres")} ${hereDocument(sql)}`,
    // Names of others are shown, and may hold anything.
    parse: (output) =>
      JSON.parse(output, (_, value: unknown) =>
        typeof value === "string" ? value.replace(/\p{Cc}+/gu, " ") : value,
      ) as Standing,
  };
}
