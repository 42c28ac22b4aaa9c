const UNITS = { kB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 } as const;

/** Bytes of a size as PostgreSQL writes it: `"512MB"` is 536870912 (a checked setting; anything else is a mistake here). */
export function bytesOf(size: string): number {
  const match = /^(\d+)(kB|MB|GB|TB)$/.exec(size);
  if (!match) throw new Error(`expected a size such as 512MB, got "${size}"`);
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
}

/** A size for postgresql.conf, in whole megabytes: 536870912 is `"512MB"`. */
export function megabytes(bytes: number): string {
  return `${Math.max(1, Math.floor(bytes / UNITS.MB))}MB`;
}
