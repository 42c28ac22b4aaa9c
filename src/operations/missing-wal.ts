import type { BaseBackup } from "../facts/barman";
import type { Archive } from "./recovery-wish";
import { positionOf, type Aim, type Branch } from "./restore";
import { segmentAt, segmentStart, type WalFile } from "./wal";
import { timeOf } from "./words";

/** The first segment that a backup needs. */
export function segmentOf({ beginLsn, timeline, segmentBytes }: BaseBackup): string {
  return segmentAt(timeline, beginLsn, segmentBytes);
}

/** A segment that nobody has, and what is just before it. */
interface MissingWal {
  readonly segment: string;
  /** When the WAL before it ends, in seconds since 1970; `undefined` where there is none. */
  readonly reachedAt?: number;
}

/** The first segment between a backup and the end of the archive that is not there. */
export function firstMissing(
  wal: readonly WalFile[],
  backup: BaseBackup,
  history: readonly Branch[],
  timeline: number,
): MissingWal | undefined {
  const { segmentBytes } = backup;
  const startOf = (segment: string) => segmentStart(segment, segmentBytes);
  const at = new Map(wal.map((one) => [one.segment, one.at]));
  const own = wal.filter(({ segment }) => parseInt(segment.slice(0, 8), 16) === timeline);
  const last = own.map(({ segment }) => startOf(segment)).reduce(later, 0n);
  let reachedAt: number | undefined;
  for (let start = startOf(segmentOf(backup)); start <= last; start += BigInt(segmentBytes)) {
    const readFrom = timelineAt(history, timeline, start + BigInt(segmentBytes));
    const segment = segmentAt(readFrom, start, segmentBytes);
    if (!at.has(segment)) return { segment, ...(reachedAt !== undefined && { reachedAt }) };
    reachedAt = at.get(segment);
  }
  return undefined;
}

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** The timeline that WAL just before a position is read from: a segment in which one is left is the next one's. */
function timelineAt(history: readonly Branch[], timeline: number, before: bigint): number {
  return history.find(({ lsn }) => positionOf(lsn) >= before)?.timeline ?? timeline;
}

/** The start of the last whole segment of a timeline: a recovery of all there is must come at least so far. */
export function endOf(
  wal: readonly WalFile[],
  timeline: number,
  segmentBytes: number,
): Branch | undefined {
  const whole = wal.filter(
    ({ segment, complete }) => complete && parseInt(segment.slice(0, 8), 16) === timeline,
  );
  if (whole.length === 0) return undefined;
  const start = whole.map(({ segment }) => segmentStart(segment, segmentBytes)).reduce(later, 0n);
  return { timeline, lsn: `${(start >> 32n).toString(16)}/${(start & 0xffffffffn).toString(16)}` };
}

/** Whether a recovery needs the missing segment: all there is always does. */
export function liesBeyond(
  { time, lsn }: Aim,
  { segment, reachedAt }: MissingWal,
  { segmentBytes }: BaseBackup,
): boolean {
  if (lsn !== undefined) return positionOf(lsn) >= segmentStart(segment, segmentBytes);
  return time === undefined || reachedAt === undefined || time > reachedAt;
}

export function withoutWal(
  { host, home }: Archive,
  { id }: BaseBackup,
  { segment, reachedAt }: MissingWal,
): string {
  const found = `${host}: expected all WAL since backup ${id} in ${home}, found no ${segment}.`;
  return reachedAt === undefined
    ? `${found} Nothing can be restored from this backup; name another one.`
    : `${found} What was committed until about ${timeOf(reachedAt)} can be restored: give that as the target's time.`;
}
