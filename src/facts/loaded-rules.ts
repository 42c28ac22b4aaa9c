import type { Probe } from "../host/host";
import { hereDocument } from "../host/shell";
import { psql } from "./postgres";

// What a server makes of its pg_hba.conf and pg_ident.conf: it parses the files anew for every such question.

/** A line as PostgreSQL understands it, with one spelling for all that mean the same: JSON. */
type RuleRow = string;

/**
 * A condition of SQL for lines of pg_hba.conf that are loaded. One for SSL where there is none has an error too, and is kept
 * (src/backend/libpq/hba.c, parse_hba_line): of those that are refused nothing is told but the error.
 */
export const IS_LOADED = "(error is null or type is not null)";

/** An expression of SQL: the lines of pg_hba.conf in their order (before PostgreSQL 16, `rule_number` is not there). */
export const HBA_ROWS = `(select coalesce(json_agg(json_build_object('type', type, 'databases', database, 'users', user_name, 'address', address,
      'mask', netmask, 'method', auth_method, 'options', options)
      order by coalesce((to_json(rule)->>'rule_number')::int, line_number)), '[]') from pg_hba_file_rules as rule where ${IS_LOADED})`;

/** Commands of psql and SQL that must come before `IDENT_ROWS`: PostgreSQL tells of pg_ident.conf since version 15. */
export const MAPPINGS = `select case when current_setting('server_version_num')::int >= 150000 then
  $$(select coalesce(json_agg(json_build_object('map', map_name, 'system', sys_name, 'role', pg_username)
      order by coalesce((to_json(mapping)->>'map_number')::int, line_number)), '[]') from pg_ident_file_mappings as mapping where error is null)$$
  else $$'[]'::json$$ end as mappings \\gset`;

/** An expression of SQL: the lines of pg_ident.conf in their order; none where the server does not tell. */
export const IDENT_ROWS = ":mappings";

/** The lines that a server would load. */
export interface LoadedRules {
  readonly hba: readonly RuleRow[];
  readonly ident: readonly RuleRow[];
  /** Where it would refuse a line, and why. */
  readonly errors: readonly string[];
}

/** A script's SQL for `parseRules`. */
export const LOADED_RULES = `${MAPPINGS}
select json_build_object('hba', ${HBA_ROWS}, 'ident', ${IDENT_ROWS}, 'errors',
  (select coalesce(json_agg('line ' || line_number || ': ' || error), '[]') from pg_hba_file_rules where not ${IS_LOADED}));
`;

/** Reads the answer to `LOADED_RULES`. */
export function parseRules(output: string): LoadedRules {
  const { hba, ident, errors } = JSON.parse(output) as {
    [kind in "hba" | "ident"]: readonly object[];
  } & { errors: string[] };
  return { hba: hba.map(rowOf), ident: ident.map(rowOf), errors };
}

/** A row of the answer as one text. */
export function rowOf(row: object): RuleRow {
  return JSON.stringify(row);
}

/** What the member on this host would load. */
export function loadedRulesProbe(port: number): Probe<LoadedRules> {
  return {
    script: `cd / && ${psql(port, "postgres")} ${hereDocument(LOADED_RULES)}`,
    parse: parseRules,
  };
}

/** Whether these rows stand among others one after the other; none stand everywhere. */
export function standAmong(rows: readonly RuleRow[], all: readonly RuleRow[]): boolean {
  return Array.from({ length: all.length - rows.length + 1 }).some((_, at) =>
    rows.every((row, i) => all[at + i] === row),
  );
}
