import { UsageError } from "../errors";

const UNITS: { readonly [unit: string]: number } = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A day and a time of it, with the zone that it is of: whoever reads it elsewhere shall mean the same moment. */
const MOMENT =
  /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?) ?(Z|[+-]\d\d(?::?\d\d)?)?$/;

/**
 * A moment to come as an operator says it: `+30m`, `02:00` (the next one, by this machine's clock),
 * `2026-11-22 02:00+01:00` or `2026-11-22T02:00:00Z`.
 * @throws UsageError if it cannot be read, tells no zone, or lies in the past.
 */
export function parseTime(option: string, text: string, now: Date): Date {
  const time = fromNow(text, now) ?? nextClock(text, now) ?? momentOf(option, text);
  if (time === undefined) {
    throw new UsageError(
      `${option}: expected a time such as +30m, 02:00 or 2026-11-22T02:00:00Z, got "${text}".`,
    );
  }
  if (time <= now) {
    throw new UsageError(
      `${option}: expected a time to come, got ${time.toISOString()}; it is ${now.toISOString()}.`,
    );
  }
  return time;
}

/**
 * A moment of the past from which on something is asked for: `-10m`, `10m`, `today`, `yesterday`, `02:00`, `2026-11-22`,
 * `2026-11-22 02:00`, all without a zone in UTC, as times are shown.
 * @throws UsageError if it cannot be read, or lies in the future.
 */
export function parseSince(option: string, text: string, now: Date): Date {
  const day = now.toISOString().slice(0, 10);
  const [, amount, unit = ""] = /^-?(\d+)([smhd])$/.exec(text) ?? [];
  const named: { readonly [word: string]: string } = { today: day, now: now.toISOString() };
  const time =
    amount !== undefined
      ? new Date(now.getTime() - Number(amount) * (UNITS[unit] ?? 0))
      : text === "yesterday"
        ? new Date(Date.parse(day) - (UNITS.d ?? 0))
        : Object.hasOwn(named, text)
          ? new Date(named[text] ?? "")
          : momentOf(option, completed(text, day));
  if (time === undefined) {
    throw new UsageError(
      `${option}: expected a time such as -10m, -2h, today, yesterday, 02:00, 2026-11-22 or "2026-11-22 02:00" (UTC), got "${text}".`,
    );
  }
  if (time > now) {
    throw new UsageError(
      `${option}: expected a time that has been, got ${time.toISOString()}; it is ${now.toISOString()}.`,
    );
  }
  return time;
}

/** The same with a day, a time of it and a zone, where only some are said. */
function completed(text: string, day: string): string {
  const dated = /^\d{1,2}:\d\d(:\d\d)?$/.test(text) ? `${day} ${text.padStart(5, "0")}` : text;
  const timed = /^\d{4}-\d\d-\d\d$/.test(dated) ? `${dated} 00:00` : dated;
  return /(Z|[+-]\d\d(:?\d\d)?)$/.test(timed.slice(10)) ? timed : `${timed}Z`;
}

/** A span of time in milliseconds: `90s`, `10m`, `2h`; a number alone is seconds. @throws UsageError */
export function parseSpan(option: string, text: string): number {
  const [, amount, unit = "s"] = /^(\d+(?:\.\d+)?)([smhd])?$/.exec(text) ?? [];
  const span = Number(amount) * (UNITS[unit] ?? 1000);
  if (amount === undefined || !(span > 0)) {
    throw new UsageError(`${option}: expected a time such as 90s, 10m or 2h, got "${text}".`);
  }
  return span;
}

/** `2026-11-22 02:00+01:00 (01:00 UTC)`: a moment by this machine's clock, and by everybody's. */
export function tellTime(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  const local = new Date(time.getTime() + minutes * 60_000).toISOString();
  const utc = time.toISOString();
  if (minutes === 0) return `${utc.slice(0, 16).replace("T", " ")} UTC`;
  const day = local.slice(0, 10) === utc.slice(0, 10) ? "" : `${utc.slice(0, 10)} `;
  return `${local.slice(0, 16).replace("T", " ")}${offset(minutes)} (${day}${utc.slice(11, 16)} UTC)`;
}

/** `+01:00` for 60 minutes. */
function offset(minutes: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const ahead = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(ahead / 60))}:${two(ahead % 60)}`;
}

function fromNow(text: string, now: Date): Date | undefined {
  const [, amount, unit = ""] = /^\+(\d+)([smhd])$/.exec(text) ?? [];
  if (amount === undefined) return undefined;
  return readable(new Date(now.getTime() + Number(amount) * (UNITS[unit] ?? 0)));
}

function nextClock(text: string, now: Date): Date | undefined {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  if (hours === undefined || minutes === undefined) return undefined;
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  const time = new Date(now);
  time.setHours(Number(hours), Number(minutes), 0, 0);
  if (time <= now) time.setDate(time.getDate() + 1);
  return time;
}

/** @throws UsageError if it tells no zone */
function momentOf(option: string, text: string): Date | undefined {
  const [, day, clock, zone] = MOMENT.exec(text) ?? [];
  if (day === undefined || clock === undefined) return undefined;
  // JavaScript takes the 31st of a shorter month for a day of the next one.
  if (
    readable(new Date(`${day}T00:00Z`))
      ?.toISOString()
      .slice(0, 10) !== day
  )
    return undefined;
  if (zone === undefined) {
    const here = offset(-new Date(`${day}T${clock}`).getTimezoneOffset());
    throw new UsageError(
      `${option}: expected a time with its zone, got "${text}", which is another moment elsewhere. ` +
        `Say ${day}T${clock}${here} (here) or ${day}T${clock}Z (UTC).`,
    );
  }
  const [, hours = "", minutes = "00"] = /^([+-]\d\d):?(\d\d)?$/.exec(zone) ?? [];
  return readable(new Date(`${day}T${clock}${zone === "Z" ? "Z" : `${hours}:${minutes}`}`));
}

function readable(time: Date): Date | undefined {
  return Number.isNaN(time.getTime()) ? undefined : time;
}
