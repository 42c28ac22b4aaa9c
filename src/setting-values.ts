// What PostgreSQL takes the text of a setting for (src/backend/utils/misc/guc.c, parse_and_validate_value). Two texts may
// be one value: "1GB" and "1024MB", "0.00001" and "1e-05", "true" and "on".

/** What PostgreSQL holds of a setting (pg_settings: vartype, unit). */
export interface SettingKind {
  readonly type: "bool" | "integer" | "real" | "enum" | "string";
  /** What its bare numbers count: `8kB`, `ms`. */
  readonly unit?: string | null;
}

/**
 * What PostgreSQL takes a text for where it wants true or false: any beginning of true, false, yes, no, on and off that
 * only one of them has, 1 or 0, in letters of either case (src/backend/utils/adt/bool.c, parse_bool_with_len).
 * Undefined for anything else.
 */
export function booleanOf(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  if (lower === "1") return true;
  if (lower === "0") return false;
  // "o" could be both.
  if (lower === "" || lower === "o") return undefined;
  if (["true", "yes", "on"].some((word) => word.startsWith(lower))) return true;
  if (["false", "no", "off"].some((word) => word.startsWith(lower))) return false;
  return undefined;
}

/** Values of `synchronous_commit` with which a commit waits for no replica (src/backend/utils/misc/guc_tables.c), in lower case. */
export const NOT_WAITING: readonly string[] = ["off", "false", "no", "0", "local"];

/** Of these, in bytes and in milliseconds; letters count with their case. */
const MEMORY: { readonly [unit: string]: number } = {
  B: 1,
  kB: 2 ** 10,
  MB: 2 ** 20,
  GB: 2 ** 30,
  TB: 2 ** 40,
};
const TIME: { readonly [unit: string]: number } = {
  us: 1e-3,
  ms: 1,
  s: 1e3,
  min: 60e3,
  h: 3600e3,
  d: 86400e3,
};

/** The units that a setting with this one takes, in words; nothing for one without. */
export function unitsOf(unit: string | null | undefined): string | undefined {
  if (!unit) return undefined;
  const units = scaleOf(unit)?.units;
  return units && Object.keys(units).join(", ");
}

/** `8kB` as what it is a multiple of. */
function scaleOf(unit: string) {
  const [, times = "", name = ""] = /^(\d*)([A-Za-z]+)$/.exec(unit) ?? [];
  const units = [MEMORY, TIME].find((some) => Object.hasOwn(some, name));
  return units && { units, size: Number(times || 1) * (units[name] ?? 1) };
}

/** A number as strtol(3) or strtod(3) read it, with C's forms of whole numbers: `0x10`, `010`, `1e3`, `.5`. */
const NUMBER =
  /^[ \t\n\v\f\r]*([+-]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))[ \t\n\v\f\r]*([A-Za-z]*)[ \t\n\v\f\r]*$/;

/** The number that a text stands for, in the setting's own unit; nothing where PostgreSQL would take it for none. */
export function numberOf(text: string, { type, unit }: SettingKind): number | undefined {
  const [, digits, given] = NUMBER.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const value = cNumber(digits, type === "integer");
  const inUnit = given ? converted(value, given, unit) : value;
  if (inUnit === undefined || !Number.isFinite(inUnit)) return undefined;
  return type === "integer" ? Math.round(inUnit) : inUnit;
}

function cNumber(digits: string, whole: boolean): number {
  const [, sign, rest = ""] = /^([+-]?)(.*)$/.exec(digits) ?? [];
  // Where a whole number is wanted, a leading 0 counts eights, as long as there is no point or exponent.
  const octal = whole && /^0[0-7]+$/.test(rest);
  return (sign === "-" ? -1 : 1) * (octal ? parseInt(rest, 8) : Number(rest));
}

function converted(value: number, given: string, unit?: string | null): number | undefined {
  const scale = unit ? scaleOf(unit) : undefined;
  if (!scale || !Object.hasOwn(scale.units, given)) return undefined;
  return (value * (scale.units[given] ?? 1)) / scale.size;
}

/** Whether two texts are one value of a setting; as texts where nothing is known of it. */
export function sameSetting(a: string, b: string, kind: SettingKind | undefined): boolean {
  if (a === b) return true;
  if (!kind || kind.type === "string") return false;
  if (kind.type === "integer" || kind.type === "real") {
    const [one, other] = [numberOf(a, kind), numberOf(b, kind)];
    return one !== undefined && one === other;
  }
  // Some enumerations have on and off among others, by their whole words only.
  const [one, other] = [booleanOf(a), booleanOf(b)];
  const same = one !== undefined && one === other;
  return kind.type === "bool" ? same : a.toLowerCase() === b.toLowerCase() || (same && whole(a, b));
}

function whole(...words: string[]): boolean {
  return words.every((word) => WORDS.includes(word.toLowerCase()));
}

/** As Patroni takes them (patroni/utils.py, parse_bool), and PostgreSQL's enumerations that hold on and off. */
const WORDS = ["on", "true", "yes", "1", "off", "false", "no", "0"];

/** Settings that name something of a database, which no server looks for before a session needs it. */
export const NAMING_SETTINGS = [
  "default_table_access_method",
  "default_text_search_config",
  "default_tablespace",
  "temp_tablespaces",
] as const;

export type NamingSetting = (typeof NAMING_SETTINGS)[number];

/** The names that such a setting holds; none where it is empty (src/backend/utils/adt/varlena.c, SplitIdentifierString). */
export function namesIn(setting: NamingSetting, value: string): string[] {
  // Of these two PostgreSQL takes the text as it stands.
  if (setting === "default_table_access_method" || setting === "default_tablespace")
    return value === "" ? [] : [value];
  const separator = setting === "temp_tablespaces" ? "," : ".";
  const parts = [...value.matchAll(/"((?:[^"]|"")*)"|[^",.\s]+|[,.]/g)].map(([text, quoted]) =>
    quoted === undefined ? text.toLowerCase() : quoted.replaceAll('""', '"'),
  );
  const words = parts.filter((part) => part !== separator && part !== ",");
  return separator === "." ? [words.join(".")].filter(Boolean) : words.filter(Boolean);
}
