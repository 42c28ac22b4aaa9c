/** `2026-11-21 14:30+01` as every JavaScript reads it: `2026-11-21T14:30:00+01:00`. */
function isoTime(time: string): string {
  const [, day = "", clock = "", zone = ""] =
    /^(\S{10})[ T]([\d:.]+)\s*(Z|[+-].*)$/.exec(time) ?? [];
  const [, hours = "", minutes = "00"] = /^([+-]\d\d):?(\d\d)?$/.exec(zone) ?? [];
  return `${day}T${clock.length === 5 ? `${clock}:00` : clock}${zone === "Z" ? "Z" : `${hours}:${minutes}`}`;
}

/** Seconds since 1970, fractions included; NaN if it is no time. */
export function epochOf(time: string): number {
  return Date.parse(isoTime(time)) / 1000;
}
