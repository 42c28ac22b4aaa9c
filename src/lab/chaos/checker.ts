import type { History, Row, Write } from "./history";

/** What a run has come to. Rows are told as `client/seq`. */
export interface Verdict {
  readonly acknowledged: number;
  readonly failed: number;
  readonly unknown: number;
  /** Acknowledged, and gone at the end. */
  readonly lost: readonly string[];
  /** There at the end though the server had said that they failed, or nobody had asked for them. */
  readonly phantom: readonly string[];
  /** How many of the unknown ones are there. */
  readonly recovered: number;
  /** There more than once. */
  readonly duplicate: readonly string[];
  /**
   * Acknowledged, and written after a later row of the same client. One whose outcome is unknown may come late: a packet
   * that was on its way when its client gave up arrives when the network lets it.
   */
  readonly reordered: readonly string[];
  /** Members whose table is not the leader's. */
  readonly divergent: readonly string[];
  /** Seen by a reader, and gone at the end. */
  readonly vanished: readonly string[];
  /** When two members took writes: as clients of the entry point met them, and as each member was asked by itself. */
  readonly twoPrimaries: {
    readonly entryPoint: readonly Interval[];
    readonly direct: readonly Interval[];
  };
  /** Times without an acknowledged write that were longer than usual; the longest first. */
  readonly interruptions: readonly Interval[];
  readonly timelines: readonly number[];
}

export interface Interval {
  readonly begun: number;
  readonly ended: number;
}

/** A pause between two acknowledged writes that nobody notices, in seconds. */
const UNNOTICED = 1;

/** Judges a run by what it has left. Pure: one history has one verdict, for ever. */
export function check({ writes, seen, probes, final }: History): Verdict {
  const by = (outcome: Write["outcome"]) => writes.filter((one) => one.outcome === outcome);
  const [ok, fail, unknown] = [by("ok"), by("fail"), by("unknown")];
  const tables = Object.entries(final.tables).map(([member, rows]): [string, string[]] => [
    member,
    rows.map(nameOf),
  ]);
  const leaders = tables.find(([member]) => member === final.leader)?.[1] ?? [];
  const there = new Set(leaders);
  const anywhere = new Set(tables.flatMap(([, rows]) => rows));
  const [failed, asked] = [new Set(fail.map(nameOf)), new Set(writes.map(nameOf))];
  const known = new Set(ok.map(nameOf));
  const gone = (rows: readonly Row[]) => unique(rows.map(nameOf).filter((row) => !there.has(row)));
  return {
    acknowledged: ok.length,
    failed: fail.length,
    unknown: unknown.length,
    lost: gone(ok),
    phantom: unique([...anywhere].filter((row) => failed.has(row) || !asked.has(row))),
    recovered: unknown.map(nameOf).filter((row) => there.has(row)).length,
    duplicate: unique(tables.flatMap(([, rows]) => repeated(rows))),
    reordered: unique(
      Object.values(final.tables)
        .flatMap(reorderedIn)
        .filter((row) => known.has(row)),
    ),
    divergent: tables
      .filter(([, rows]) => rows.join() !== leaders.join())
      .map(([member]) => member),
    vanished: gone(seen),
    twoPrimaries: { entryPoint: overlaps(ok), direct: overlaps(probes) },
    interruptions: interruptionsOf(ok),
    timelines: [...new Set(ok.flatMap(({ timeline }) => timeline ?? []))].sort((a, b) => a - b),
  };
}

/** What a run must keep, whatever happened in it. */
export interface Promised {
  /** Whether what was acknowledged must be there: so it is in all modes but asynchronous. */
  readonly durable: boolean;
}

/** What a verdict breaks of it, in words; nothing if the run was as promised. */
export function brokenPromises(verdict: Verdict, { durable }: Promised): string[] {
  const rows = (found: readonly string[], what: string) =>
    found.length > 0 ? [`${found.length} rows ${what}, e.g. ${found.slice(0, 3).join(", ")}`] : [];
  const { entryPoint } = verdict.twoPrimaries;
  const nothing = verdict.acknowledged === 0;
  return [
    ...(nothing ? ["no write was ever acknowledged: there is nothing to judge"] : []),
    ...(durable ? rows(verdict.lost, "were acknowledged and are lost") : []),
    ...rows(verdict.phantom, "are there that cannot be"),
    ...rows(verdict.duplicate, "are there twice"),
    ...rows(verdict.reordered, "are out of order"),
    ...verdict.divergent.map((member) => `${member} has another table than the leader`),
    ...(entryPoint.length > 0
      ? [`two primaries through the entry point for ${Math.round(lengthOf(entryPoint) * 1000)} ms`]
      : []),
  ];
}

/** All of these together, in seconds. */
export function lengthOf(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, { begun, ended }) => sum + ended - begun, 0);
}

function nameOf({ client, seq }: Row): string {
  return `${client}/${seq}`;
}

function unique(rows: readonly string[]): string[] {
  return [...new Set(rows)].sort();
}

function repeated(rows: readonly string[]): string[] {
  const before = new Set<string>();
  return rows.filter((row) => before.has(row) || !before.add(row));
}

function reorderedIn(rows: readonly Row[]): string[] {
  const highest = new Map<number, number>();
  return rows
    .filter(({ client, seq }) => {
      const before = highest.get(client) ?? -1;
      highest.set(client, Math.max(before, seq));
      return seq < before;
    })
    .map(nameOf);
}

function interruptionsOf(ok: readonly Write[]): Interval[] {
  const moments = ok.map(({ ended }) => ended).sort((a, b) => a - b);
  return moments
    .slice(1)
    .map((ended, i) => ({ begun: moments[i] as number, ended }))
    .filter(({ begun, ended }) => ended - begun > UNNOTICED)
    .sort((a, b) => lengthOf([b]) - lengthOf([a]));
}

/**
 * When two members took writes. A member reigns on a timeline from its first write there to its last, since whoever
 * takes the lead begins a new timeline. A reign is certain from the end of its first write to the beginning of its last:
 * when two such times overlap, there were two primaries, and not two answers that were late.
 */
function overlaps(
  writes: readonly (Interval & { member?: string; timeline?: number })[],
): Interval[] {
  const reigns = new Map<string, { member: string; begun: number; ended: number }>();
  for (const { member, timeline, begun, ended } of writes) {
    if (member === undefined) continue;
    const name = `${member} ${timeline}`;
    const reign = reigns.get(name) ?? { member, begun: Infinity, ended: -Infinity };
    reigns.set(name, {
      member,
      begun: Math.min(reign.begun, ended),
      ended: Math.max(reign.ended, begun),
    });
  }
  const all = [...reigns.values()];
  const pairs = all.flatMap((one, i) =>
    all
      .slice(i + 1)
      .flatMap((other) => (one.member === other.member ? [] : [[one, other] as const])),
  );
  return pairs
    .map(([one, other]) => ({
      begun: Math.max(one.begun, other.begun),
      ended: Math.min(one.ended, other.ended),
    }))
    .filter(({ begun, ended }) => begun < ended);
}
