/** What ALTER ROLE or ALTER DATABASE has set for sessions. */
export interface SessionOverride {
  /** Nothing: every role, or every database. */
  readonly role: string | null;
  readonly database: string | null;
  /** In lower case. */
  readonly name: string;
  readonly value: string;
}

/** JSON of what was set so of these settings, in SQL. */
export function overridesOf(names: readonly string[]): string {
  return `(select coalesce(json_agg(json_build_object('role', rolname, 'database', datname, 'name', name, 'value', value)
      order by rolname, datname, name), '[]') from (
    select rolname, datname, lower(split_part(one, '=', 1)) as name, substr(one, strpos(one, '=') + 1) as value
    from pg_db_role_setting left join pg_roles on pg_roles.oid = setrole left join pg_database on pg_database.oid = setdatabase,
      unnest(setconfig) as one) as session
    where name in (${names.map((name) => `'${name}'`).join(", ")}))`;
}

/** Whether Patroni's sessions have it: it works as `postgres`, in the database `postgres` (templates/patroni). */
export function isOfPatroni({ role, database }: SessionOverride): boolean {
  return [role, database].every((name) => name === null || name === "postgres");
}
