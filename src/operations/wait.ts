import { HealthError } from "../errors";

/** Pauses between two looks: short at first, for what is nearly done, then longer. */
const PAUSES_MS = [100, 100, 200, 200, 300, 300, 500];

/** What a look has found: the value, what is still missing in words, or why no more waiting helps. */
export type Look<T> =
  | { readonly done: T }
  /** Where several things are waited for, one after the other or at once: which of them it is, and what helps it. */
  | {
      readonly missing: string;
      readonly expected?: string;
      readonly next?: string;
      /** How far something is that may take its time: as long as that changes, the seconds begin anew. */
      readonly goesOn?: string;
    }
  | { readonly hopeless: string; readonly next: string };

/**
 * Looks again and again until it finds what it waits for, or that it will not come.
 * @param expected what is waited for, for messages: `a leader`.
 * @throws HealthError when it takes longer than `seconds`, and at once where it is hopeless.
 */
export async function waitFor<T>(
  look: () => Promise<Look<T>>,
  {
    expected,
    seconds,
    next,
    progress,
  }: { expected: string; seconds: number; next: string; progress(message: string): void },
): Promise<T> {
  let start = Date.now();
  let last = "";
  for (let round = 0; ; round++) {
    const found = await look();
    if ("done" in found) return found.done;
    if ("hopeless" in found)
      throw new HealthError(`expected ${expected}, got: ${found.hopeless}.`, `Next: ${found.next}`);
    if (found.goesOn !== undefined && found.goesOn !== last) {
      last = found.goesOn;
      start = Date.now();
    }
    const elapsed = Math.round((Date.now() - start) / 1000);
    if (elapsed >= seconds) {
      throw new HealthError(
        `expected ${found.expected ?? expected} within ${seconds} seconds, got: ${found.missing}.`,
        `Next: ${found.next ?? next}`,
      );
    }
    progress(`waiting for ${found.expected ?? expected}: ${found.missing} (${elapsed} s)`);
    await new Promise((resolve) => setTimeout(resolve, PAUSES_MS[round] ?? 1000));
  }
}
