import { booleanOf, numberOf, unitsOf, type SettingKind } from "../setting-values";
import table from "./parameter-table.json";

/** What a version of PostgreSQL takes for a setting (tools/parameters). */
interface ParameterRule extends SettingKind {
  /** The first and the last major version that it holds for, from 13 to 18. */
  readonly versions: readonly [number, number];
  /** In the setting's unit. */
  readonly min?: number;
  readonly max?: number;
  /** Of an enumeration, in lower case. */
  readonly values?: readonly string[];
}

const RULES = new Map(
  Object.entries(table).map(([name, rules]) => [
    name.toLowerCase(),
    rules as unknown as ParameterRule[],
  ]),
);

/** Names of all settings that Patroni knows; it silently leaves out others without a dot. */
export const KNOWN = [...RULES.keys()];

/** All rules of a setting by lower-case name, oldest version first; none for one that nobody knows. */
export function rulesOf(name: string): readonly ParameterRule[] {
  return RULES.get(name) ?? [];
}

/** The rule of a setting in a version of PostgreSQL. */
export function ruleOf(name: string, version: number): ParameterRule | undefined {
  return rulesOf(name).find(({ versions: [first, last] }) => first <= version && version <= last);
}

/**
 * What Patroni gives PostgreSQL on the command line, with the least that it takes (patroni/postgresql/config.py,
 * CMDLINE_OPTIONS, 3.0 to 4.1): for less it silently keeps the default.
 */
const LEAST_FOR_PATRONI: { readonly [name: string]: number } = {
  max_connections: 25,
  max_wal_senders: 3,
  max_replication_slots: 4,
  max_worker_processes: 2,
  max_locks_per_transaction: 32,
  wal_keep_size: 16,
};

/** Why PostgreSQL, or Patroni, would not take a value as it is; nothing if it would. */
export function valueProblem(
  name: string,
  value: string | number | boolean,
  rule: ParameterRule,
): string | undefined {
  const expected = (what: string, remedy = "Mend it.") =>
    `expected ${what}, got ${JSON.stringify(value)}. ${remedy}`;
  const text = typeof value === "boolean" ? (value ? "on" : "off") : String(value);
  switch (rule.type) {
    case "string":
      return undefined;
    case "bool":
      return booleanOf(text) === undefined ? expected("on or off") : undefined;
    case "enum":
      return fitsEnumeration(text, rule) ? undefined : expected(either(rule.values ?? []));
    default:
      return numberProblem(name, text, rule, expected);
  }
}

function numberProblem(
  name: string,
  text: string,
  rule: ParameterRule,
  expected: (what: string, remedy?: string) => string,
): string | undefined {
  const { min = -Infinity, max = Infinity, unit } = rule;
  const number = numberOf(text, rule);
  const units = unitsOf(unit);
  if (number === undefined) {
    const kind = rule.type === "integer" ? "a whole number" : "a number";
    return expected(units ? `${kind}, or one with a unit (${units})` : kind);
  }
  const counted = (of: number) => (unit ? `${of} (times ${unit})` : String(of));
  if (number < min) return expected(`${counted(min)} or more`);
  if (number > max) return expected(`${counted(max)} or less`);
  const least = Object.hasOwn(LEAST_FOR_PATRONI, name) ? LEAST_FOR_PATRONI[name] : undefined;
  if (least === undefined || number >= least) return undefined;
  return expected(
    `${least}${unit ?? ""} or more, the least that Patroni takes`,
    "It would keep its own default in silence. Raise it, or remove it.",
  );
}

function fitsEnumeration(text: string, { values = [] }: ParameterRule): boolean {
  const lower = text.toLowerCase();
  if (values.includes(lower)) return true;
  return values.includes("on") && ["true", "yes", "1", "false", "no", "0"].includes(lower);
}

function either(values: readonly string[]): string {
  return `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
}
