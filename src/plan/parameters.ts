import { ruleOf } from "../config/parameter-values";
import type { ClusterSettings } from "../config/schema";
import { booleanOf } from "../setting-values";

/** The user's settings of postgresql.conf, by lower-case name, with PostgreSQL's own words for true and false. */
export function ownParameters({ parameters, version }: ClusterSettings["postgresql"]): {
  readonly [name: string]: string | number;
} {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => {
      const lower = name.toLowerCase();
      return [lower, text(value, ruleOf(lower, version)?.type === "bool")];
    }),
  );
}

/** Patroni would write Python's words, and leaves out what PostgreSQL takes for one by its beginning (patroni/utils.py, parse_bool). */
function text(value: string | number | boolean, isBoolean: boolean): string | number {
  const said = typeof value === "boolean" ? value : isBoolean && booleanOf(String(value));
  if (typeof value === "boolean" || isBoolean) return said ? "on" : "off";
  return value;
}
