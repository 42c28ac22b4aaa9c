import type { BackupCatalog, BaseBackup } from "../facts/barman";
import type { Probe } from "../host/host";
import {
  chooseBackup,
  historyProbe,
  isInHistory,
  positionOf,
  walPlacesProbe,
  type Aim,
  type Branch,
  type RestoreTarget,
  type WalPlace,
} from "./restore";
import { segmentAt, segmentStart, walProbe, type WalFile } from "./wal";
import { timeOf } from "./words";

/** A cluster's backups and WAL on a host that keeps them. */
export interface Archive {
  readonly host: string;
  /** Barman's folder of the cluster: `/var/lib/barman/demo`. */
  readonly home: string;
  /** PostgreSQL's programs there: `/usr/lib/postgresql/17/bin`. */
  readonly binDirectory: string;
  /** What is there. */
  readonly catalog: BackupCatalog;
}

/** What somebody wants to have back. */
export interface RecoveryWish {
  readonly target: RestoreTarget;
  /** Of a target of time, in seconds since 1970. */
  readonly time?: number;
  /** Id of the backup to begin with, if the user wants a certain one. */
  readonly backup?: string;
  /** The timeline that is to be followed. Default: the newest that the archive has. */
  readonly timeline?: number;
  /** Until when there is WAL, in seconds since 1970. Default: until it was last received. */
  readonly until?: number;
  /** What the user said the target by: `--target-`, of which the target's kind is the end. */
  readonly saidBy: string;
}

/** How a recovery can be done, or why not. */
export interface RecoveryWay {
  /** The backup to begin with; none if there is no way. */
  readonly backup?: BaseBackup;
  /** Where WAL ends that everything of the archive was replayed from, at the least. */
  readonly end?: Branch;
  readonly refusals: readonly string[];
}

/** Finds the backup and the WAL for a recovery, and what is missing. Changes nothing. */
export async function findRecovery(
  archive: Archive,
  wish: RecoveryWish,
  observe: <T>(probe: Probe<T>) => Promise<T>,
): Promise<RecoveryWay> {
  const { catalog, home, host } = archive;
  const timeline = wish.timeline ?? newestTimeline(catalog);
  const history = await observe(historyProbe(home, timeline));
  const oldest = oldestOf(catalog, history, timeline);
  if (!oldest) {
    return { refusals: [`${host}: expected a complete backup in ${home}, found none.`] };
  }
  const places = await placesOf(archive, oldest, wish.target, observe);
  const own = places.filter((one) => isInHistory(history, timeline, one.timeline, one.lsn));
  const aim = aimOf(wish, own);
  const until = wish.until ?? catalog.receiving?.at ?? catalog.now;
  const refused = outside(wish, aim, { from: oldest.endedAt, until }, own);
  if (refused.length > 0) return { refusals: refused };
  const backup = chooseBackup(catalog, aim, history, timeline, wish.backup);
  if (!backup) return { refusals: [noBackup(wish, oldest)] };
  const wal = await observe(walProbe(home, segmentOf(backup).slice(8)));
  const missing = firstMissing(wal, backup, history, timeline);
  return {
    backup,
    end: endOf(wal, timeline, backup.segmentBytes),
    refusals:
      missing && liesBeyond(aim, missing, backup) ? [withoutWal(archive, backup, missing)] : [],
  };
}

/** Seconds since 1970. */
interface Window {
  readonly from: number;
  readonly until: number;
}

function newestTimeline({ backups, receiving }: BackupCatalog): number {
  const received = receiving ? parseInt(receiving.segment.slice(0, 8), 16) : 1;
  return Math.max(received, ...backups.map(({ timeline }) => timeline));
}

function oldestOf(
  { backups }: BackupCatalog,
  history: readonly Branch[],
  timeline: number,
): BaseBackup | undefined {
  return backups
    .filter(({ status }) => status === "DONE")
    .filter((one) => isInHistory(history, timeline, one.timeline, one.endLsn))
    .at(-1);
}

/** Where the WAL has what only its name or number is known of. */
async function placesOf(
  { home, binDirectory }: Archive,
  oldest: BaseBackup,
  target: RestoreTarget,
  observe: <T>(probe: Probe<T>) => Promise<T>,
): Promise<WalPlace[]> {
  if (target.xid === undefined && target.name === undefined) return [];
  return observe(walPlacesProbe(home, binDirectory, segmentOf(oldest), target));
}

/** The first segment that a backup needs. */
function segmentOf({ beginLsn, timeline, segmentBytes }: BaseBackup): string {
  return segmentAt(timeline, beginLsn, segmentBytes);
}

function aimOf({ target, time }: RecoveryWish, places: readonly WalPlace[]): Aim {
  if (time !== undefined) return { time };
  // A name may have been given more than once: PostgreSQL stops at the first that it meets.
  const lsn = target.lsn ?? places[0]?.lsn;
  return lsn === undefined ? {} : { lsn };
}

/** Why backups and WAL do not reach the target. */
function outside(
  { target: { name, xid }, saidBy }: RecoveryWish,
  aim: Aim,
  { from, until }: Window,
  [place]: readonly WalPlace[],
): string[] {
  const range = `${timeOf(from)} to ${timeOf(until)}`;
  if (aim.time !== undefined && (aim.time < from || aim.time > until)) {
    return [
      `${saidBy}time: expected a time that backups and WAL cover, ${range}, got ${timeOf(aim.time)}.`,
    ];
  }
  if (name !== undefined && !place) {
    return [
      `${saidBy}name: expected a point of the WAL that is kept, ${range}, found none with the name "${name}".`,
    ];
  }
  if (xid !== undefined && !place?.text.startsWith("COMMIT")) {
    const found = place ? "that it was rolled back" : `no commit of ${xid}`;
    return [`${saidBy}xid: expected a transaction that committed within ${range}, found ${found}.`];
  }
  return [];
}

function noBackup({ target, backup }: RecoveryWish, oldest: BaseBackup): string {
  return backup === undefined
    ? `expected a target after the oldest backup, which ended at ${timeOf(oldest.endedAt)} (${oldest.endLsn}), got ${inWords(target)}.`
    : `expected a complete backup from before ${inWords(target)}, got "${backup}". pgherd backup list shows them.`;
}

/** A target in words. */
export function inWords({ time, xid, lsn, name }: RestoreTarget): string {
  if (time !== undefined) return `the last commit before ${time}`;
  if (xid !== undefined) return `transaction ${xid}`;
  if (lsn !== undefined) return `position ${lsn}`;
  return name !== undefined ? `the point "${name}"` : "the end of the archive";
}

/** A segment that nobody has, and what is just before it. */
export interface MissingWal {
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
function endOf(
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
function liesBeyond(
  { time, lsn }: Aim,
  { segment, reachedAt }: MissingWal,
  { segmentBytes }: BaseBackup,
): boolean {
  if (lsn !== undefined) return positionOf(lsn) >= segmentStart(segment, segmentBytes);
  return time === undefined || reachedAt === undefined || time > reachedAt;
}

function withoutWal(
  { host, home }: Archive,
  { id }: BaseBackup,
  { segment, reachedAt }: MissingWal,
): string {
  const found = `${host}: expected all WAL since backup ${id} in ${home}, found no ${segment}.`;
  return reachedAt === undefined
    ? `${found} Nothing can be restored from this backup; name another one.`
    : `${found} What was committed until about ${timeOf(reachedAt)} can be restored: give that as the target's time.`;
}
