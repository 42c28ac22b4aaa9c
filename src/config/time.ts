/** A time as PostgreSQL and everybody else reads the same: with its zone, which is Z or an offset. */
const TIME = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)(:\d\d(?:\.\d{1,6})?)?\s*(Z|[+-]\d\d(?::?\d\d)?)$/;

/**
 * Seconds since 1970, fractions included; NaN if it is no time with its zone, or there is no such day. `Date.parse` alone
 * takes almost anything, and reads another moment in it.
 */
export function epochOf(time: string): number {
  const [, day, clock = "", seconds = ":00", zone = ""] = TIME.exec(time) ?? [];
  if (day === undefined) return NaN;
  // 30 February is 2 March for some.
  if (!new Date(`${day}T00:00:00Z`).toJSON()?.startsWith(day)) return NaN;
  const [, hours = "", minutes = "00"] = /^([+-]\d\d):?(\d\d)?$/.exec(zone) ?? [];
  return (
    Date.parse(`${day}T${clock}${seconds}${zone === "Z" ? "Z" : `${hours}:${minutes}`}`) / 1000
  );
}
