import { forgetCluster } from "../dcs/patroni";
import { PgherdError } from "../errors";
import type { RestoreRecord } from "../facts/restore-record";
import { inWords } from "../operations/recovery-wish";
import { fillFrom, orderRestore, setDataAside } from "../operations/restore-data";
import { NO_PLACES, setPlacesAside } from "../operations/restore-tablespaces";
import type { RestorableCluster, RestoreIntent } from "./restore-plan";
import { finishRestore, type Finished } from "./restore-resume";
import {
  dataOf,
  note,
  onDcs,
  onEach,
  receiveNothing,
  stampOf,
  start,
  stopAll,
} from "./restore-steps";
import { failRestore } from "./restore-failed";
import { watchFirst } from "./restore-watch";

/** What came of a restore. */
interface RestoreOutcome extends Finished {
  readonly backup: string;
  readonly seconds: number;
}

/**
 * Restores the cluster in place. What it is about to do stands on every member before it is done, so that whatever ends
 * it in between, the next command knows the way back.
 * @param signal ends it; then the old data is put back as after any other failure.
 * @throws PgherdError if it fails; then the old data serves again, or the message tells the command that brings it back.
 */
export async function performRestore(
  cluster: RestorableCluster,
  intent: RestoreIntent,
  signal?: AbortSignal,
): Promise<RestoreOutcome> {
  const started = new Date();
  const { first, members, leads, target, systemIdentifier, end } = intent;
  const { id, size, segmentBytes } = intent.backup;
  const record: RestoreRecord = {
    ...{ target: inWords(target), by: cluster.by, begun: Math.floor(started.getTime() / 1000) },
    ...{ first, members, leads, systemIdentifier, aside: `before-restore-${stampOf(started)}` },
    ...{ backup: { id, size, segmentBytes }, ...(end && { end }) },
    ...(intent.tablespaces && { tablespaces: intent.tablespaces.places }),
    phase: "stopping",
  };
  const work = interruptible(cluster, signal);
  let reached = record;
  const reach = async (phase: RestoreRecord["phase"]) => {
    reached = { ...record, phase };
    await note(work, reached);
  };
  try {
    await reach("stopping");
    await stopAll(work, record, intent.leads);
    await reach("moving");
    await receiveNothing(work);
    await setAside(work, record);
    const failure = await restoreFirst(work, intent, record);
    if (failure !== undefined) throw new PgherdError(failure);
    await reach("restored");
  } catch (error) {
    return failRestore(cluster, reached, error, intent.problems);
  }
  const outcome = await acceptRestore(work, reached);
  return {
    ...{ backup: intent.backup.id, ...outcome },
    seconds: Math.round((Date.now() - started.getTime()) / 1000),
  };
}

/** From here on the restored data counts: whatever fails now, it leads already. */
async function acceptRestore(cluster: RestorableCluster, record: RestoreRecord): Promise<Finished> {
  try {
    return await finishRestore(cluster, { record, within: record.members, silent: [] });
  } catch (error) {
    throw new PgherdError(
      `${record.first} leads with the restored data, but the restore has not come to its end.\n${(error as Error).message}`,
      "Go on with: pgherd restore --resume (or put the data from before back: pgherd restore --undo)",
    );
  }
}

/** The cluster until the signal: then whatever is next is not done. */
function interruptible(cluster: RestorableCluster, signal?: AbortSignal): RestorableCluster {
  return {
    ...cluster,
    host(name) {
      signal?.throwIfAborted();
      return cluster.host(name);
    },
  };
}

async function setAside(
  cluster: RestorableCluster,
  { members, aside, tablespaces = {} }: RestoreRecord,
): Promise<void> {
  cluster.progress("setting the present data aside");
  await onEach(
    cluster,
    members,
    "setting data aside",
    (name) =>
      `${setDataAside(dataOf(cluster, name), aside)}\n${setPlacesAside(tablespaces[name] ?? NO_PLACES, aside)}`,
  );
  await onDcs(cluster, "forgetting the old cluster", (dcs, name) =>
    forgetCluster(dcs, name, "kept"),
  );
}

/** Has Patroni begin the cluster with the backup. Returns why that fails, if it does. */
async function restoreFirst(
  cluster: RestorableCluster,
  { backup, target, timeline, tablespaces }: RestoreIntent,
  record: RestoreRecord,
): Promise<string | undefined> {
  const { first } = record;
  const settings = cluster.recovery(target, timeline);
  const order = orderRestore(fillFrom(cluster.fill, backup.id, tablespaces?.moved ?? {}), settings);
  await cluster.host(first).change("ordering the restore", order);
  const since = Math.floor(Date.now() / 1000) - 1;
  await start(cluster, [first]);
  return watchFirst(cluster, record, since);
}
