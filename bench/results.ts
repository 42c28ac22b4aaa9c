import type { ContenderName } from "./contenders";
import type { Size } from "./sizes";

/** What is measured. */
export const PARTS = ["fresh", "no-op", "dry-run", "change"] as const;
export type Part = (typeof PARTS)[number];

/** Who is measured: a contender, or what nobody can be faster than. */
export type Runner = ContenderName | "floor";

/** The times of one command. */
export interface Measurement {
  readonly part: Part;
  readonly size: Size;
  readonly runner: Runner;
  /** Seconds from start to end of the process, a number for each round. */
  readonly seconds: readonly number[];
}

export interface Results {
  readonly measurements: readonly Measurement[];
  /** The most memory that the provider held with this many hosts, in bytes. */
  readonly memory?: { readonly size: Size; readonly bytes: number };
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = NaN, high = NaN] = [sorted[sorted.length % 2 ? middle : middle - 1], sorted[middle]];
  return (low + high) / 2;
}

/** The median of a runner's rounds; `undefined` where it was not measured. */
export function medianOf(
  { measurements }: Results,
  part: Part,
  size: Size,
  runner: Runner,
): number | undefined {
  const found = measurements.find(
    (one) => one.part === part && one.size === size && one.runner === runner,
  );
  return found && median(found.seconds);
}

/** A goal, and whether it was reached. */
export interface Verdict {
  readonly goal: string;
  /** e.g. `14.2 ×`, `131 MB` */
  readonly measured: string;
  readonly reached: boolean;
}

/** The goals of which both sides were measured. */
export function verdicts(results: Results): Verdict[] {
  const time = (part: Part, size: Size, runner: Runner) => medianOf(results, part, size, runner);
  const own = time("no-op", 5, "pgherd");
  const faster = (other: Runner, times: number) =>
    ratio(
      `no-op at least ${times} × faster than ${other}`,
      time("no-op", 5, other),
      own,
      (found) => found >= times,
    );
  const memory = results.memory;
  return [
    ...faster("Ansible", 12),
    ...faster("Mitogen", 3.5),
    ...faster("pyinfra", 2),
    ...ratio(
      "no-op at most 1.6 × the engine's floor",
      own,
      time("no-op", 5, "floor"),
      (found) => found <= 1.6,
    ),
    ...ratio(
      "no-op of 20 hosts at most 2 × that of 3",
      time("no-op", 20, "pgherd"),
      time("no-op", 3, "pgherd"),
      (found) => found <= 2,
    ),
    ...ratio(
      "fresh at most 1.35 × APT's floor",
      time("fresh", 5, "pgherd"),
      time("fresh", 5, "floor"),
      (found) => found <= 1.35,
    ),
    ...(memory
      ? [
          {
            goal: `provider below 150 MB at ${memory.size} hosts`,
            measured: `${Math.round(memory.bytes / 1e6)} MB`,
            reached: memory.bytes < 150e6,
          },
        ]
      : []),
  ];
}

function ratio(
  goal: string,
  above: number | undefined,
  below: number | undefined,
  reached: (found: number) => boolean,
): Verdict[] {
  if (above === undefined || below === undefined) return [];
  const found = above / below;
  return [{ goal, measured: `${found.toFixed(2)} ×`, reached: reached(found) }];
}
