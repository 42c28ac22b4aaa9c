const UNITS = { m: 60, h: 3600, d: 86400 } as const;

/** Seconds of a time such as `"8h"` or `"3d"` (a checked setting; anything else is a mistake here). */
export function secondsOf(time: string): number {
  const match = /^(\d+)(m|h|d)$/.exec(time);
  if (!match) throw new Error(`expected a time such as 8h, got "${time}"`);
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
}
