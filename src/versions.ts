/**
 * Compares upstream versions by their numbers: negative if `a` is the older one. What Debian adds does not count:
 * `4.0.7-1~deb13u1` is 4.0.7, and so is `1:4.0.7`.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbers(a), numbers(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The numbers of an upstream version: `4.0.7` of `1:4.0.7-1~deb13u1`. */
export function upstream(version: string): string {
  return version.replace(/^\d+:/, "").match(/^\d+(\.\d+)*/)?.[0] ?? "";
}

function numbers(version: string): number[] {
  return upstream(version).split(".").filter(Boolean).map(Number);
}
