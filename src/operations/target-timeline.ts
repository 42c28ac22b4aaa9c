import type { Probe } from "../host/host";
import { inWords, type Archive, type RecoveryWish } from "./recovery-wish";
import { positionOf, type Branch, type WalPlace } from "./restore";
import { firstCommitProbe, timelineOf, walEndProbe, type Timeline } from "./timelines";
import { timeOf } from "./words";

// A restore begins a new timeline, as a failover does, and what the old one had after that place is left. A moment, a
// position, a name or a number of a transaction may be of what was left: a recovery along the present timeline would end
// elsewhere then, and PostgreSQL would not say a word.

/** The timeline that is followed, and those that the archive has beside it. */
interface Lineage {
  readonly timeline: number;
  readonly history: readonly Branch[];
  readonly timelines: readonly Timeline[];
  /** The timeline of the oldest backup. */
  readonly root: number;
  readonly segmentBytes: number;
}

/** How an archive is asked. */
export type Observe = <T>(probe: Probe<T>) => Promise<T>;

/**
 * Why a target may be of what was left by the timeline that is followed, or of one that it does not come from.
 * @param places where the WAL has it, if it is looked for by name or number.
 */
export async function elsewhere(
  archive: Archive,
  wish: RecoveryWish,
  lineage: Lineage,
  places: readonly WalPlace[],
  observe: Observe,
): Promise<string[]> {
  const { timeline } = lineage;
  const { target, time, saidBy, timelineBy } = wish;
  const found =
    time !== undefined
      ? await leftAtTime(archive, lineage, time, observe)
      : target.lsn !== undefined
        ? await leftWith(archive, lineage, target.lsn, observe)
        : leftPlaces(lineage, places);
  const [one] = found;
  if (one === undefined) return [];
  const kind = Object.keys(target)[0] ?? "";
  const way =
    timelineBy === undefined
      ? "A new cluster follows the newest timeline: choose another target."
      : `Add ${timelineBy} ${one} for what it had there, or ${timelineBy} ${timeline} for what timeline ${timeline} has up to the target.`;
  return [
    `${saidBy}${kind}: expected a target that only timeline ${timeline} has, which the database is on, found ${inWords(target)} on ${found.map((id) => described(lineage, id)).join(" and ")}. ${way}`,
  ];
}

/** `timeline 1, which was left at 0/5000060 on 2026-11-21 14:30:00Z`. */
function described({ history, timelines, timeline }: Lineage, id: number): string {
  const at = history.findIndex((one) => one.timeline === id);
  const branch = history[at];
  if (!branch) return `timeline ${id}, which timeline ${timeline} does not come from`;
  const next = history[at + 1]?.timeline ?? timeline;
  const begun = timelines.find((one) => one.id === next)?.begunAt;
  return `timeline ${id}, which was left at ${branch.lsn}${begun === undefined ? "" : ` on ${timeOf(begun)}`}`;
}

/** The timeline that the database was on at this time, if the one that is followed does not have all that it had then. */
async function leftAtTime(
  { home, binDirectory }: Archive,
  { timeline, history, timelines, root, segmentBytes }: Lineage,
  time: number,
  observe: Observe,
): Promise<number[]> {
  const firstCommit = (branch: Branch) =>
    observe(firstCommitProbe(home, binDirectory, branch, segmentBytes));
  const begun = timelines.filter(({ begunAt }) => begunAt <= time);
  const live = begun.reduce<Timeline | undefined>(
    (last, one) => (last && last.begunAt > one.begunAt ? last : one),
    undefined,
  );
  const id = live?.id ?? root;
  if (id === timeline) return [];
  const at = history.findIndex((one) => one.timeline === id);
  const left = history[at] ?? history.at(-1);
  if (!left) return [id];
  // The archive may have got a history long after its timeline began.
  const next = history[at + 1]?.timeline;
  const after = at < 0 || next === undefined ? timeline : next;
  const went = await firstCommit({ timeline: after, lsn: left.lsn });
  if (went !== undefined && went <= time) return [];
  if (at < 0) return [id];
  const lost = await firstCommit(left);
  return lost !== undefined && lost <= time ? [id] : [];
}

/** Timelines that have this position too, as something else. */
async function leftWith(
  { home, binDirectory }: Archive,
  { timeline, history, timelines, root }: Lineage,
  lsn: string,
  observe: Observe,
): Promise<number[]> {
  const own = timelineOf(history, timeline, lsn);
  const known = [root, ...history.map((one) => one.timeline), ...timelines.map(({ id }) => id)];
  const beginning = (id: number) => timelines.find((one) => one.id === id)?.history.at(-1)?.lsn;
  const others = [...new Set(known)]
    .filter((id) => id !== own && id !== timeline)
    .filter((id) => positionOf(beginning(id) ?? "0/0") < positionOf(lsn));
  const ends = await Promise.all(
    others.map(async (id) => [id, await observe(walEndProbe(home, binDirectory, id))] as const),
  );
  return ends
    .filter(([, { lsn: end }]) => end !== undefined && positionOf(end) >= positionOf(lsn))
    .map(([id]) => id);
}

/** Timelines on which something of this name or number is, where the one that is followed does not have it. */
function leftPlaces({ timeline, history, timelines }: Lineage, places: readonly WalPlace[]) {
  const left = places
    // The first segment of a timeline begins with what the one before had.
    .map(({ timeline: id, lsn }) => {
      const own = timelines.find((one) => one.id === id)?.history ?? [];
      return { id: timelineOf(own, id, lsn), lsn };
    })
    .filter(({ id, lsn }) => timelineOf(history, timeline, lsn) !== id);
  return [...new Set(left.map(({ id }) => id))];
}
