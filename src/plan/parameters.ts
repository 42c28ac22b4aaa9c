import type { ClusterSettings } from "../config/schema";

/** The user's settings of postgresql.conf, by lower-case name, with PostgreSQL's own words for true and false. */
export function ownParameters({ parameters }: ClusterSettings["postgresql"]): {
  readonly [name: string]: string | number;
} {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name.toLowerCase(), text(value)]),
  );
}

/** Patroni would write Python's words. */
function text(value: string | number | boolean): string | number {
  return typeof value === "boolean" ? (value ? "on" : "off") : value;
}
