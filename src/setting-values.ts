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
