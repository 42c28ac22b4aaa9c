// Times as cron writes them (crontab(5)): what users know, and what a timer of systemd can be made from.

/** The five fields with the numbers that each may hold. */
const FIELDS = [
  { name: "minute", least: 0, most: 59 },
  { name: "hour", least: 0, most: 23 },
  { name: "day of the month", least: 1, most: 31 },
  { name: "month", least: 1, most: 12 },
  { name: "day of the week", least: 0, most: 7 },
] as const;

const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** A year and a leap day: no pattern of days is rarer than that without being impossible. */
const DAYS_LOOKED_AT = 4 * 366;
const DAY_MS = 24 * 3600 * 1000;
const CALENDAR = Array.from({ length: DAYS_LOOKED_AT }, (_, at) => {
  const date = new Date(Date.UTC(2024, 0, 1) + at * DAY_MS);
  return { day: date.getUTCDate(), month: date.getUTCMonth() + 1, weekday: date.getUTCDay() };
});

/** Whether it is five fields of cron, of which day of the month and day of the week are not both restricted. */
export function isSchedule(text: string): boolean {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== FIELDS.length) return false;
  if (fields[2] !== "*" && fields[4] !== "*") return false;
  return fields.every((field, i) => valuesOf(field, i).length > 0) && longestGapDays(text) > 0;
}

/** The same time for a timer (systemd.time(7)): `0 2 * * 1-5` is `Mon,Tue,Wed,Thu,Fri *-*-* 2:0:00`. */
export function calendarOf(schedule: string): string {
  const [minute, hour, day, month, weekday] = schedule.trim().split(/\s+/) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const list = (field: string, i: number) => (field === "*" ? "*" : valuesOf(field, i).join(","));
  const days =
    weekday === "*"
      ? ""
      : `${[...new Set(valuesOf(weekday, 4).map((one) => WEEKDAYS[one % 7]))].join(",")} `;
  return `${days}*-${list(month, 3)}-${list(day, 2)} ${list(hour, 1)}:${list(minute, 0)}:00`;
}

/** Days between two days on which it is time, at most; 0 if it never is. */
export function longestGapDays(schedule: string): number {
  const [, , day = "*", month = "*", weekday = "*"] = schedule.trim().split(/\s+/);
  const days = new Set(valuesOf(day, 2));
  const months = new Set(valuesOf(month, 3));
  const weekdays = new Set(valuesOf(weekday, 4).map((one) => one % 7));
  let last: number | undefined;
  let longest = 0;
  for (const [at, date] of CALENDAR.entries()) {
    if (!days.has(date.day) || !months.has(date.month) || !weekdays.has(date.weekday)) continue;
    longest = Math.max(longest, last === undefined ? 1 : at - last);
    last = at;
  }
  return longest;
}

/** The numbers that a field stands for: `*`, `5`, `1-5`, `1,3`, every fifteenth; none if it cannot be read. */
function valuesOf(field: string, i: number): number[] {
  const { least, most } = FIELDS[i] as (typeof FIELDS)[number];
  const parts = field.split(",").map((part) => {
    const match = /^(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:\/(\d{1,2}))?$/.exec(part);
    if (!match) return [];
    const [, first, last, step] = match;
    const from = first === undefined ? least : Number(first);
    const to = first === undefined ? most : last === undefined ? from : Number(last);
    const by = Number(step ?? 1);
    if (from < least || to > most || from > to || by < 1) return [];
    return Array.from({ length: Math.floor((to - from) / by) + 1 }, (_, k) => from + k * by);
  });
  return parts.some((part) => part.length === 0)
    ? []
    : [...new Set(parts.flat())].sort((a, b) => a - b);
}

/** Days that Barman keeps: `RECOVERY WINDOW OF 2 WEEKS` is 14. */
export function windowDays(retention: string): number {
  const match = /^RECOVERY WINDOW OF (\d+) (DAYS|WEEKS|MONTHS)$/.exec(retention);
  if (!match) throw new Error(`expected a recovery window, got "${retention}"`);
  return Number(match[1]) * { DAYS: 1, WEEKS: 7, MONTHS: 30 }[match[2] as "DAYS"];
}
