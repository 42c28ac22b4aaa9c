import { leaderOf } from "../facts/member-state";
import { forgetCluster, rememberDatabase } from "../dcs/patroni";
import { ConnectError } from "../errors";
import { clockProbe } from "../facts/clock";
import { controlFileProbe } from "../facts/control-file";
import { describeRestore, type FoundRestore, type RestoreRecord } from "../facts/restore-record";
import { beginTimeline } from "../operations/own-timeline";
import { branchProbe, positionOf, positionProbe } from "../operations/restore";
import { isOutOfReach } from "../operations/ask";
import { putDataBack } from "../operations/restore-data";
import { NO_PLACES, putPlacesBack } from "../operations/restore-tablespaces";
import { timelinesProbe } from "../operations/timelines";
import { sizeOf, spanOf } from "../operations/words";
import { Refusal, type Intent } from "./cluster";
import { byFolder, type RestorableCluster } from "./restore-plan";
import { endFirstSegment } from "./end-segment";
import { asidePlaces, untilFollowed } from "./restore-resume";
import {
  dataOf,
  forget,
  observeRestores,
  onDcs,
  onEach,
  placesOf,
  receiveAgain,
  stampOf,
  start,
  STOP,
  stopAll,
} from "./restore-steps";
import { whoLeads } from "./restore-watch";
import { untilSeen } from "./until-seen";

/** A restore that was cut off, as the members tell of it. */
export interface CutOff {
  readonly record: RestoreRecord;
  /** The members that are still in it. */
  readonly within: readonly string[];
  /** Members that cannot be reached; they may be in it too. */
  readonly silent: readonly string[];
}

/**
 * The restore that was cut off; the furthest that a member knows of it counts.
 * @throws Refusal if there is none, or somebody is at work on it.
 */
export async function cutOffRestore(cluster: RestorableCluster): Promise<CutOff> {
  const { found, silent } = await observeRestores(cluster);
  const records = Object.values(found);
  const record = furthest(records);
  const problems = Object.values(silent).map(({ message }) => message);
  if (!record) throw new Refusal("This", ["no restore was cut off.", ...problems]);
  const busy = records.find(({ holder }) => holder !== undefined);
  if (busy) throw new Refusal("This", [describeRestore(busy)]);
  return { record, within: Object.keys(found), silent: Object.keys(silent) };
}

function furthest(records: readonly FoundRestore[]): RestoreRecord | undefined {
  const order: readonly string[] = ["stopping", "moving", "restored"];
  return [...records].sort((a, b) => order.indexOf(b.phase) - order.indexOf(a.phase))[0];
}

/** What putting the data back comes to. */
export async function considerUndo(cluster: RestorableCluster, cutOff: CutOff): Promise<Intent> {
  const { record, within, silent } = cutOff;
  const { phase, aside, first } = record;
  const asides = asidePlaces(record);
  const folders = byFolder(
    within.flatMap((name) =>
      [`${dataOf(cluster, name)}.${aside}`, ...(asides[name] ?? [])].map(
        (folder) => [name, folder] as const,
      ),
    ),
  );
  const whole = within.includes(first);
  return {
    refusals: silent.includes(first)
      ? [`${first} cannot be reached, and has to lead first with the data from before.`]
      : phase === "restored" && !whole
        ? [
            "the restore has come to its end, and only its records are left: `pgherd restore --resume` removes them.",
          ]
        : await unfollowed(cluster, cutOff),
    objections: [],
    effects: [
      ...silent.map(
        (name) => `leaves ${name} as it is, which cannot be reached: do this again when it can be`,
      ),
      ...(phase === "stopping"
        ? [`starts ${within.join(", ")} again: no data was moved`]
        : [
            whole
              ? `stops every member, puts the data from before back (${folders.join(" and ")}), and starts ${first} first`
              : `stops ${within.join(", ")}, which the others have left behind, and puts the data from before back there`,
            "keeps what the restore has made beside it, as DIRECTORY.failed-restore-TIME",
            ...(whole ? await lostBy(cluster, cutOff) : []),
          ]),
    ],
  };
}

/** A restore that was accepted has come into the archive, which has to be asked then. */
async function unfollowed(
  { host, backup }: RestorableCluster,
  { record }: CutOff,
): Promise<string[]> {
  if (record.phase !== "restored") return [];
  try {
    await host(backup.host).observe(timelinesProbe(backup.home));
    return [];
  } catch (error) {
    if (!isOutOfReach(error)) throw error;
    return [
      `${backup.host} cannot be reached, and has WAL of what is to be undone, which the data from before must not follow. ${error.message}`,
    ];
  }
}

/** What clients have written since the restored data leads, as far as it can be asked. */
async function lostBy(cluster: RestorableCluster, { record, within }: CutOff): Promise<string[]> {
  const { plan, host } = cluster;
  const leader = await whoLeads(cluster, within);
  const what = "loses what was written since the restored data leads";
  if (leader === undefined) {
    return record.phase === "restored"
      ? [`${what}; nobody leads now who could be asked how much that is`]
      : [];
  }
  const [begun, position, now] = await Promise.all([
    host(leader).observe(branchProbe(dataOf(cluster, leader))),
    host(leader).observe(positionProbe(plan.patroni.port)),
    host(leader).observe(clockProbe),
  ]);
  if (!begun) return [what];
  const bytes = Number(positionOf(position) - positionOf(begun.lsn));
  return [
    `${what}, on ${leader} for ${spanOf(now - begun.at)}: from ${begun.lsn} to ${position}, ${sizeOf(bytes)} of WAL; it is in what is kept, and nowhere else`,
  ];
}

/** What became of the data that a restore has made. */
export interface Undone {
  /** Where each member keeps it, where there was any: `{ db1: "/var/lib/postgresql/17/main.failed-restore-20261121T143000Z" }`. */
  readonly kept: { readonly [member: string]: string };
  /** Where each keeps what it has made of tablespaces. */
  readonly keptTablespaces?: { readonly [member: string]: readonly string[] };
}

const NOTHING_KEPT: Undone = { kept: {}, keptTablespaces: {} };

/** Ends a restore by putting back what was there before. It may be run again, whatever was done of it. */
export async function undoRestore(cluster: RestorableCluster, cutOff: CutOff): Promise<Undone> {
  const { record, within } = cutOff;
  const failed = `failed-restore-${stampOf(new Date())}`;
  const moved = record.phase !== "stopping";
  const kept = moved ? await putBack(cluster, cutOff, failed) : NOTHING_KEPT;
  const apart = moved && within.includes(record.first) && (await partFromAttempt(cluster, record));
  await startAgain(cluster, cutOff, apart);
  await receiveAgain(cluster);
  await forget(cluster, record, within);
  return kept;
}

/** With the members that have them. */
export function keptFolders({ kept, keptTablespaces = {} }: Undone): (readonly [string, string])[] {
  return [
    ...Object.entries(kept),
    ...Object.entries(keptTablespaces).flatMap(([name, folders]) =>
      folders.map((folder) => [name, folder] as const),
    ),
  ];
}

async function putBack(
  cluster: RestorableCluster,
  { record, within, silent }: CutOff,
  failed: string,
): Promise<Undone> {
  const { aside, first, systemIdentifier, begun, tablespaces = {} } = record;
  await stopAll(cluster, { first, members: within }, false);
  cluster.progress("putting the old data back");
  const kept: { [member: string]: string } = {};
  const keptTablespaces: { [member: string]: readonly string[] } = {};
  await onEach(
    cluster,
    within,
    "putting data back",
    (name) =>
      [
        putPlacesBack(tablespaces[name] ?? NO_PLACES, aside, failed, begun),
        putDataBack(dataOf(cluster, name), aside, failed, begun),
      ].join("\n"),
    (name, said) => {
      const folders = said.split("\n").filter((line) => line !== "");
      const data = `${dataOf(cluster, name)}.${failed}`;
      if (folders.includes(data)) kept[name] = data;
      const others = folders.filter((folder) => folder !== data);
      if (others.length > 0) keptTablespaces[name] = others;
    },
  );
  // The others lead already, and follow their own.
  if (!within.includes(first)) return { kept, keptTablespaces };
  const reached = { except: silent };
  await onDcs(
    cluster,
    "forgetting the attempt",
    (dcs, name) => forgetCluster(dcs, name, "kept"),
    reached,
  );
  if (systemIdentifier !== undefined) {
    await onDcs(
      cluster,
      "remembering the cluster",
      (dcs, name) => rememberDatabase(dcs, name, systemIdentifier),
      reached,
    );
  }
  return { kept, keptTablespaces };
}

/**
 * Has the data from before go on on a timeline of its own, if the archive has one that it would take for its future.
 * Returns whether the archive has yet to learn of its timeline, be it this one or one that an undoing that was cut off
 * has begun: until then it has only the attempt's for those that follow.
 */
async function partFromAttempt(
  cluster: RestorableCluster,
  { first, phase }: RestoreRecord,
): Promise<boolean> {
  const { host, backup, progress } = cluster;
  const places = placesOf(cluster, first);
  try {
    const timelines = await host(backup.host).observe(timelinesProbe(backup.home));
    const { timeline: own } = await host(first).observe(controlFileProbe(places));
    if (!timelines.some(({ id }) => id > own)) {
      return timelines.length > 0 && !timelines.some(({ id }) => id === own);
    }
  } catch (error) {
    // Until it was accepted nothing of it was received.
    if (!(error instanceof ConnectError) || error.host !== backup.host || phase === "restored")
      throw error;
    return false;
  }
  progress("beginning a timeline of its own");
  await host(first).change("beginning a timeline", beginTimeline(places, cluster.history), STOP);
  return true;
}

/** The one that has led first, so that none that knows less takes its place. */
async function startAgain(
  cluster: RestorableCluster,
  { record: { first, leads }, within }: CutOff,
  apart: boolean,
): Promise<void> {
  if (within.includes(first)) await start(cluster, [first]);
  if (within.includes(first) && (leads || apart)) {
    await untilSeen(
      cluster,
      `${first} to lead again`,
      300,
      (status) => leaderOf(status) !== undefined,
    );
  }
  if (apart) {
    await receiveAgain(cluster);
    await endFirstSegment(cluster, first);
    // The others would take the attempt's for their future otherwise.
    await untilFollowed(cluster, first);
  }
  await start(
    cluster,
    within.filter((name) => name !== first),
  );
}
