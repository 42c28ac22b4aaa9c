import type { BackupCatalog, BaseBackup } from "../facts/barman";
import { endOf, firstMissing, liesBeyond, segmentOf, withoutWal } from "./missing-wal";
import { inWords, type Archive, type RecoveryWish } from "./recovery-wish";
import {
  chooseBackup,
  isInHistory,
  positionOf,
  walPlacesProbe,
  type Aim,
  type Branch,
  type RestoreTarget,
  type WalPlace,
} from "./restore";
import { elsewhere, type Observe } from "./target-timeline";
import { timelinesProbe, walEndProbe, type Timeline } from "./timelines";
import { walProbe } from "./wal";
import { timeOf } from "./words";

/** How a recovery can be done, or why not. */
interface RecoveryWay {
  /** The backup to begin with; none if there is no way. */
  readonly backup?: BaseBackup;
  /** The timeline to follow. */
  readonly timeline?: number;
  /** Where WAL ends that everything of the archive was replayed from, at the least. */
  readonly end?: Branch;
  readonly refusals: readonly string[];
}

/** Finds the backup and the WAL for a recovery, and what is missing. Changes nothing. */
export async function findRecovery(
  archive: Archive,
  wish: RecoveryWish,
  observe: Observe,
): Promise<RecoveryWay> {
  const { catalog, home } = archive;
  const timelines = await observe(timelinesProbe(home));
  const present = wish.present ?? newestTimeline(catalog, timelines);
  const timeline = wish.timeline ?? present;
  const unknown = unknownTimeline(archive, wish, timeline, timelines);
  if (unknown !== undefined) return { refusals: [unknown] };
  const history = timelines.find(({ id }) => id === timeline)?.history ?? [];
  const oldest = oldestOf(catalog, history, timeline);
  if (!oldest) return { refusals: [noneComplete(archive, timeline)] };
  const places = await placesOf(archive, oldest, wish.target, observe);
  const own = places.filter((one) => isInHistory(history, timeline, one.timeline, one.lsn));
  const aim = aimOf(wish, own);
  const until = await untilWhen(archive, wish, timeline, present, observe);
  const window = { from: oldest, until };
  const { segmentBytes } = oldest;
  const lineage = { timeline, history, timelines, root: oldest.timeline, segmentBytes };
  const stray = async () =>
    wish.timeline === undefined ? elsewhere(archive, wish, lineage, places, observe) : [];
  const past = aim.time !== undefined && !(aim.time >= oldest.endedAt);
  // A position that the present timeline does not have, or a name, may be of one that was left.
  const refused = past ? [] : await stray();
  if (refused.length === 0) refused.push(...outside(wish, aim, window, own));
  if (refused.length > 0) return { refusals: refused };
  const backup = chooseBackup(catalog, aim, history, timeline, wish.backup);
  if (!backup) return { refusals: [noBackup(wish, oldest)] };
  const wal = await observe(walProbe(home, segmentOf(backup).slice(8)));
  const missing = firstMissing(wal, backup, history, timeline);
  return {
    ...{ backup, timeline },
    end: endOf(wal, timeline, backup.segmentBytes),
    refusals:
      missing && liesBeyond(aim, missing, backup) ? [withoutWal(archive, backup, missing)] : [],
  };
}

function unknownTimeline(
  { host, home, catalog }: Archive,
  { timelineBy, timeline: wanted }: RecoveryWish,
  timeline: number,
  timelines: readonly Timeline[],
): string | undefined {
  const known = [
    ...timelines.flatMap(({ id, history }) => [id, ...history.map((one) => one.timeline)]),
    ...catalog.backups.map((one) => one.timeline),
  ];
  const names = [...new Set(known)].sort((a, b) => a - b).join(", ");
  if (wanted !== undefined && !known.includes(wanted)) {
    return `${timelineBy ?? "timeline"}: expected one that ${host} has WAL of, ${names}, got ${wanted}.`;
  }
  // Of the first there is no history.
  if (timeline === 1 || timelines.some(({ id }) => id === timeline)) return undefined;
  return `${host}: expected the history of timeline ${timeline} in ${home}, found none: it has not received it yet, or it was removed.`;
}

function noneComplete({ host, home, catalog }: Archive, timeline: number): string {
  const all = catalog.backups.filter(({ status }) => status === "DONE");
  if (all.length === 0) return `${host}: expected a complete backup in ${home}, found none.`;
  const others = [...new Set(all.map((one) => one.timeline))].sort((a, b) => a - b);
  return `${host}: expected a complete backup in ${home} that timeline ${timeline} comes from, found only some of timeline ${others.join(", ")} that it does not.`;
}

/** Until when and where a timeline can be followed. */
async function untilWhen(
  { catalog, home, binDirectory }: Archive,
  { until, target }: RecoveryWish,
  timeline: number,
  present: number,
  observe: Observe,
): Promise<{ time: number; lsn?: string }> {
  if (until && timeline === present) return until;
  const received = catalog.receiving?.at ?? catalog.now;
  if (target.lsn === undefined && timeline === present) return { time: received };
  const { lsn = "0/0", commit = 0 } = await observe(walEndProbe(home, binDirectory, timeline));
  return { time: timeline === present ? received : commit, lsn };
}

interface Window {
  /** The oldest backup. */
  readonly from: BaseBackup;
  /** In seconds since 1970, and by position where that was asked for. */
  readonly until: { readonly time: number; readonly lsn?: string };
}

function newestTimeline(
  { backups, receiving }: BackupCatalog,
  timelines: readonly Timeline[],
): number {
  const received = receiving ? parseInt(receiving.segment.slice(0, 8), 16) : 1;
  const others = [...backups.map(({ timeline }) => timeline), ...timelines.map(({ id }) => id)];
  return Math.max(received, ...others);
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
  observe: Observe,
): Promise<WalPlace[]> {
  if (target.xid === undefined && target.name === undefined) return [];
  return observe(walPlacesProbe(home, binDirectory, segmentOf(oldest), target));
}

function aimOf({ target, time }: RecoveryWish, places: readonly WalPlace[]): Aim {
  if (time !== undefined) return { time };
  // A name may have been given more than once: PostgreSQL stops at the first that it meets.
  const lsn = target.lsn ?? places[0]?.lsn;
  return lsn === undefined ? {} : { lsn };
}

/** Why backups and WAL do not reach the target. */
function outside(
  { target: { name, xid, lsn, time: said }, saidBy }: RecoveryWish,
  aim: Aim,
  { from, until }: Window,
  [place]: readonly WalPlace[],
): string[] {
  const range = `${timeOf(from.endedAt)} to ${timeOf(until.time)}`;
  if (aim.time !== undefined && Number.isNaN(aim.time)) {
    return [
      `${saidBy}time: expected a time with its zone, as 2026-11-21 14:30:00Z or 2026-11-21 15:30:00+01, that backups and WAL cover, ${range}, got "${said}".`,
    ];
  }
  if (aim.time !== undefined && (aim.time < from.endedAt || aim.time >= until.time)) {
    return [
      `${saidBy}time: expected a time that backups and WAL cover, ${range}, got ${timeOf(aim.time)}.`,
    ];
  }
  if (lsn !== undefined && until.lsn !== undefined) {
    const [least, most] = [positionOf(from.endLsn), positionOf(until.lsn)];
    if (positionOf(lsn) < least || positionOf(lsn) > most) {
      return [
        `${saidBy}lsn: expected a position that backups and WAL cover, ${from.endLsn} to ${until.lsn} (${range}), got ${lsn}.`,
      ];
    }
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
