import { z } from "zod";
import { hereDocument } from "../host/shell";
import type { Probe } from "../host/host";
import { psql } from "./postgres";
import { literal } from "./sql";

/** Something that keeps PostgreSQL from dropping a role (catalog pg_shdepend). */
export interface Held {
  readonly role: string;
  /** The database that it is in, or that it is; empty for what belongs to none. */
  readonly database: string;
  /** The catalog that it stands in: `pg_class`. */
  readonly catalog: string;
  /** Whether the role owns it, or was only granted something on it or named by it. */
  readonly owned: boolean;
  readonly count: number;
}

const HELD = z.array(
  z.object({
    ...{ role: z.string(), database: z.string(), catalog: z.string() },
    ...{ owned: z.boolean(), count: z.number() },
  }),
);

/** All that roles own or were granted, in every database at once: the catalog that tells it is shared. */
export function heldProbe(port: number, roles: readonly string[]): Probe<Held[]> {
  const sql = `select coalesce(json_agg(h order by role, database, owned desc, catalog), '[]') from (
  select r.rolname as role, coalesce(d.datname, '') as database, c.relname as catalog, s.deptype = 'o' as owned,
    count(*) as count
  from pg_shdepend s join pg_authid r on s.refclassid = 'pg_authid'::regclass and r.oid = s.refobjid
    join pg_class c on c.oid = s.classid
    left join pg_database d on d.oid = case when s.classid = 'pg_database'::regclass then s.objid else s.dbid end
  where r.rolname in (${roles.map(literal).join(", ")})
  group by 1, 2, 3, 4) h;
`;
  return {
    script: `cd / && ${psql(port, "postgres")} ${hereDocument(sql)}`,
    parse: (output) => HELD.parse(JSON.parse(output)),
  };
}
