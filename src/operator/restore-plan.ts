import { PgherdError } from "../errors";
import { catalogOfBackupsProbe, type BackupCatalog, type BaseBackup } from "../facts/barman";
import { systemIdentifierProbe } from "../facts/patroni";
import type { BackupStatusPlan } from "../operations/backup-status";
import { leaderOf } from "../operations/health";
import {
  chooseBackup,
  historyProbe,
  isInHistory,
  positionOf,
  roomProbe,
  walPlacesProbe,
  type Aim,
  type Branch,
  type RestoreTarget,
  type WalPlace,
} from "../operations/restore";
import { sizeOf, spanOf, timeOf } from "../operations/words";
import { observe, Refusal, type Cluster, type Intent } from "./cluster";

/** A cluster that can be restored, beside what every verb knows of it. */
export interface RestorableCluster extends Cluster {
  readonly backup: BackupStatusPlan;
  /** The members' data directory. */
  readonly data: string;
  /** PostgreSQL's programs: `/usr/lib/postgresql/17/bin`. */
  readonly binDirectory: string;
  /** A member's own script that fills a data directory from a backup. */
  readonly fill: string;
  /** PostgreSQL's settings of a recovery up to this target. */
  recovery(target: RestoreTarget): readonly { readonly name: string; readonly value: string }[];
}

export interface RestoreRequest {
  readonly target: RestoreTarget;
  /** Of a target of time, in seconds since 1970. */
  readonly time?: number;
  /** Id of the backup to begin with, if the user wants a certain one. */
  readonly backup?: string;
}

/** Everything that is known of a restore before anything is changed. */
export interface RestoreIntent extends Intent {
  readonly target: RestoreTarget;
  readonly backup: BaseBackup;
  /** The member that is restored first and leads then. */
  readonly first: string;
  readonly members: readonly string[];
  /** Whether the first one leads now. */
  readonly leads: boolean;
  /** Of the present data, as far as it can be asked for. */
  readonly systemIdentifier?: string;
}

/**
 * Finds out what a restore would do, and whether it can be done.
 * @throws Refusal if backups and WAL do not cover the target; PgherdError if there is no backup at all.
 */
export async function considerRestore(
  cluster: RestorableCluster,
  request: RestoreRequest,
): Promise<RestoreIntent> {
  const { plan, backup: at, host } = cluster;
  const { target } = request;
  const members = Object.keys(plan.patroni.members);
  const [catalog, status] = await Promise.all([
    host(at.host).observe(catalogOfBackupsProbe(at.home, at.results)),
    observe(cluster),
  ]);
  const leader = leaderOf(status);
  const first = leader ?? members.find((name) => !plan.patroni.neverLead.includes(name)) ?? "";
  const timeline =
    status.members.find(({ name }) => name === leader)?.timeline ?? newestTimeline(catalog);
  const history = await host(at.host).observe(historyProbe(at.home, timeline));
  const oldest = oldestOf(catalog, history, timeline);
  if (!oldest) {
    throw new PgherdError(
      `${at.host}: expected a complete backup of ${plan.name}, found none.`,
      "Next: pgherd backup list.",
    );
  }
  const places = await placesOf(cluster, oldest, target);
  const own = places.filter((one) => isInHistory(history, timeline, one.timeline, one.lsn));
  const until = leader ? catalog.now : (catalog.receiving?.at ?? catalog.now);
  const aim = aimOf(request, own);
  const window: Window = { from: oldest.endedAt, until };
  const refusals = outside(target, aim, window, own);
  const backup = chooseBackup(catalog, aim, history, timeline, request.backup);
  if (!backup && refusals.length === 0) refusals.push(noBackup(request, oldest));
  if (refusals.length > 0 || !backup) throw new Refusal("The restore", refusals);
  return {
    ...{ target, backup, first, members, leads: leader !== undefined },
    systemIdentifier: await host(first).observe(
      systemIdentifierProbe(plan.patroni.members[first] ?? ""),
    ),
    refusals: [...tablespaces(at, backup), ...(await withoutRoom(cluster, members, backup))],
    objections: [],
    effects: effectsOf(cluster, request, backup, first, catalog.now),
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
  { backup, binDirectory, host }: RestorableCluster,
  oldest: BaseBackup,
  target: RestoreTarget,
): Promise<WalPlace[]> {
  if (target.xid === undefined && target.name === undefined) return [];
  return host(backup.host).observe(
    walPlacesProbe(backup.home, binDirectory, segmentOf(oldest), target),
  );
}

/** The first segment that a backup needs. */
function segmentOf({ beginLsn, timeline }: BaseBackup): string {
  const hex = (value: bigint) => value.toString(16).toUpperCase().padStart(8, "0");
  const position = positionOf(beginLsn);
  return [BigInt(timeline), position >> 32n, (position & 0xffffffffn) >> 24n].map(hex).join("");
}

function aimOf({ target, time }: RestoreRequest, places: readonly WalPlace[]): Aim {
  if (time !== undefined) return { time };
  // A name may have been given more than once: PostgreSQL stops at the first that it meets.
  const lsn = target.lsn ?? places[0]?.lsn;
  return lsn === undefined ? {} : { lsn };
}

/** Why backups and WAL do not reach the target. */
function outside(
  { name, xid }: RestoreTarget,
  aim: Aim,
  { from, until }: Window,
  [place]: readonly WalPlace[],
): string[] {
  const range = `${timeOf(from)} to ${timeOf(until)}`;
  if (aim.time !== undefined && (aim.time < from || aim.time > until)) {
    return [
      `--target-time: expected a time that backups and WAL cover, ${range}, got ${timeOf(aim.time)}.`,
    ];
  }
  if (name !== undefined && !place) {
    return [
      `--target-name: expected a point of the WAL that is kept, ${range}, found none with the name "${name}".`,
    ];
  }
  if (xid !== undefined && !place?.text.startsWith("COMMIT")) {
    const found = place ? "that it was rolled back" : `no commit of ${xid}`;
    return [`--target-xid: expected a transaction that committed within ${range}, found ${found}.`];
  }
  return [];
}

function noBackup({ target, backup }: RestoreRequest, oldest: BaseBackup): string {
  return backup === undefined
    ? `expected a target after the oldest backup, which ended at ${timeOf(oldest.endedAt)} (${oldest.endLsn}), got ${inWords(target)}.`
    : `--backup: expected a complete backup from before ${inWords(target)}, got "${backup}". pgherd backup list shows them.`;
}

function tablespaces({ host }: BackupStatusPlan, { id, tablespaces: some }: BaseBackup): string[] {
  if (!some) return [];
  return [
    `backup ${id} has tablespaces, which pgherd does not place: restore it with barman on ${host}.`,
  ];
}

/** The old data stays, so that there must be room for both. */
async function withoutRoom(
  { data, host }: RestorableCluster,
  members: readonly string[],
  { size }: BaseBackup,
): Promise<string[]> {
  const needed = size * 1.1 + 512 * 2 ** 20;
  const found = await Promise.all(
    members.map(async (name) => {
      const { free, mounted } = await host(name).observe(roomProbe(data));
      if (mounted) {
        return `${name}: expected ${data} to be a folder that can be set aside, found a file system of its own.`;
      }
      return free < needed
        ? `${name}: expected ${sizeOf(needed)} of free space beside ${data}, which stays, found ${sizeOf(free)}.`
        : "";
    }),
  );
  return found.filter((one) => one !== "");
}

function effectsOf(
  { plan, data }: RestorableCluster,
  { target, time }: RestoreRequest,
  backup: BaseBackup,
  first: string,
  now: number,
): string[] {
  const others = Object.keys(plan.patroni.members).filter((name) => name !== first);
  const after =
    time === undefined
      ? "everything that was committed after it"
      : `everything that was committed after it: the last ${spanOf(now - time)}`;
  const nothing = Object.keys(target).length === 0;
  return [
    `goes back to ${inWords(target)}`,
    `begins with backup ${backup.id} of ${timeOf(backup.endedAt)}, ${sizeOf(backup.size)}, and replays the WAL since`,
    `stops every member: ${[`${first} is restored first`, ...(others.length > 0 ? [`${others.join(" and ")} are made from it`] : [])].join(", ")}; clients have no database until then`,
    nothing ? "loses what the archive does not have" : `loses ${after}`,
    `keeps the present data as ${data}.before-restore-TIME on each member`,
  ];
}

/** A target in words. */
export function inWords({ time, xid, lsn, name }: RestoreTarget): string {
  if (time !== undefined) return `the last commit before ${time}`;
  if (xid !== undefined) return `transaction ${xid}`;
  if (lsn !== undefined) return `position ${lsn}`;
  return name !== undefined ? `the point "${name}"` : "the end of the archive";
}
