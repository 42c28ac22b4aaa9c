import { PgherdError } from "../errors";

const UNITS: { readonly [unit: string]: number } = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * A moment as an operator says it: `+30m`, `02:00` (the next one, by this machine's clock), `2026-11-22 02:00` or
 * `2026-11-22T02:00:00+01:00`.
 * @throws PgherdError if it cannot be read, or lies in the past.
 */
export function parseTime(option: string, text: string, now: Date): Date {
  const time = momentOf(text, now);
  if (time === undefined || Number.isNaN(time.getTime())) {
    throw new PgherdError(
      `${option}: expected a time such as +30m, 02:00 or 2026-11-22T02:00:00Z, got "${text}".`,
    );
  }
  if (time <= now) {
    throw new PgherdError(
      `${option}: expected a time to come, got ${time.toISOString()}; it is ${now.toISOString()}.`,
    );
  }
  return time;
}

/** A span of time in milliseconds: `90s`, `10m`, `2h`; a number alone is seconds. @throws PgherdError */
export function parseSpan(option: string, text: string): number {
  const [, amount, unit = "s"] = /^(\d+(?:\.\d+)?)([smhd])?$/.exec(text) ?? [];
  if (amount === undefined) {
    throw new PgherdError(`${option}: expected a time such as 90s, 10m or 2h, got "${text}".`);
  }
  return Number(amount) * (UNITS[unit] ?? 1000);
}

function momentOf(text: string, now: Date): Date | undefined {
  const [, amount, unit = ""] = /^\+(\d+)([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return new Date(now.getTime() + Number(amount) * (UNITS[unit] ?? 0));
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  if (hours !== undefined && minutes !== undefined) {
    if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
    const time = new Date(now);
    time.setHours(Number(hours), Number(minutes), 0, 0);
    if (time <= now) time.setDate(time.getDate() + 1);
    return time;
  }
  return /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/.test(text) ? new Date(text) : undefined;
}
