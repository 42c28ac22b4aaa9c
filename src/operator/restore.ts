import { follows, serves } from "../facts/member-state";
import { setTimeout as sleep } from "node:timers/promises";
import { PgherdError } from "../errors";
import { clusterViewProbe, type ClusterView } from "../facts/patroni";
import type { RestoreRecord } from "../facts/restore-record";
import {
  branchProbe,
  forgetCluster,
  historyProbe,
  positionOf,
  restoreProgressProbe,
  type Branch,
} from "../operations/restore";
import { inWords } from "../operations/recovery-window";
import { endRestoreOrder, orderRestore, setDataAside } from "../operations/restore-data";
import { segmentAt } from "../operations/wal";
import { sizeOf, spanOf } from "../operations/words";
import { Refusal, untilSeen } from "./cluster";
import type { RestorableCluster, RestoreIntent } from "./restore-plan";
import {
  dataOf,
  forget,
  note,
  onDcs,
  onEach,
  receiveAgain,
  receiveNothing,
  RESTORE_SECONDS,
  stampOf,
  start,
  stopAll,
} from "./restore-steps";
import { failRestore, type CutOff } from "./restore-undo";

/** What came of a restore. */
export interface RestoreOutcome {
  readonly backup: string;
  readonly timeline: number;
  readonly seconds: number;
  /** Where each member keeps the data from before: `{ db1: "/var/lib/postgresql/17/main.before-restore-20261121T143000Z" }`. */
  readonly kept: { readonly [member: string]: string };
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
  const { first, members, leads, target, systemIdentifier } = intent;
  const record: RestoreRecord = {
    ...{ target: inWords(target), by: cluster.by, begun: Math.floor(started.getTime() / 1000) },
    ...{ first, members, leads, systemIdentifier, aside: `before-restore-${stampOf(started)}` },
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
    const failure = await restoreFirst(work, intent);
    if (failure !== undefined) throw new PgherdError(failure);
    await reach("restored");
  } catch (error) {
    return failRestore(cluster, reached, error);
  }
  const outcome = await acceptRestore(work, reached);
  return {
    ...{ backup: intent.backup.id, timeline: outcome.timeline, kept: outcome.kept },
    seconds: Math.round((Date.now() - started.getTime()) / 1000),
  };
}

/** From here on the restored data counts: whatever fails now, it leads already. */
async function acceptRestore(
  cluster: RestorableCluster,
  record: RestoreRecord,
): Promise<Pick<RestoreOutcome, "timeline" | "kept">> {
  try {
    return await finishRestore(cluster, { record, within: record.members, silent: [] });
  } catch (error) {
    throw new PgherdError(
      `${record.first} leads with the restored data, but the restore has not come to its end.\n${(error as Error).message}`,
      "Go on with: pgherd restore --resume (or put the data from before back: pgherd restore --undo)",
    );
  }
}

/**
 * Brings a restore to its end whose first member leads already. It may be run again.
 * @throws Refusal if it had not come as far.
 */
export async function finishRestore(
  cluster: RestorableCluster,
  { record, within }: CutOff,
): Promise<Pick<RestoreOutcome, "timeline" | "kept">> {
  const { first, members, aside, phase, target } = record;
  if (phase !== "restored") {
    throw new Refusal("Going on", [
      `the restore to ${target} was cut off before the restored data led: \`pgherd restore --undo\` puts the data from before back, and then it can be done anew.`,
    ]);
  }
  await cluster.host(first).change("ending the order", endRestoreOrder());
  await start(cluster, [first]);
  await receiveAgain(cluster);
  const timeline = await untilFollowed(cluster, first);
  await start(
    cluster,
    members.filter((name) => name !== first),
  );
  await untilSeen(cluster, "all members to follow", RESTORE_SECONDS, ({ members: seen }) => {
    const up = seen.filter(({ state }) => follows(state));
    return up.length === members.length && new Set(up.map((one) => one.timeline)).size === 1;
  });
  await forget(cluster, record, within);
  return {
    timeline,
    kept: Object.fromEntries(
      members.map((name) => [name, `${dataOf(cluster, name)}.${aside}`] as const),
    ),
  };
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
  { members, aside }: Pick<RestoreRecord, "members" | "aside">,
): Promise<void> {
  cluster.progress("setting the present data aside");
  await onEach(cluster, members, "setting data aside", (name) =>
    setDataAside(dataOf(cluster, name), aside),
  );
  await onDcs(cluster, "forgetting the old cluster", forgetCluster);
}

/** Has Patroni begin the cluster with the backup. Returns why that fails, if it does. */
async function restoreFirst(
  cluster: RestorableCluster,
  intent: RestoreIntent,
): Promise<string | undefined> {
  const { plan, host, progress } = cluster;
  const { first, backup, target } = intent;
  const data = dataOf(cluster, first);
  const order = orderRestore(`${cluster.fill} --backup=${backup.id}`, cluster.recovery(target));
  await host(first).change("ordering the restore", order);
  const since = Math.floor(Date.now() / 1000) - 1;
  await start(cluster, [first]);
  const endpoint = plan.patroni.members[first] ?? "";
  const end = Date.now() + RESTORE_SECONDS * 1000;
  while (Date.now() < end) {
    await sleep(1000);
    const [view, seen] = await Promise.all([
      host(first).observe(clusterViewProbe(endpoint)),
      host(first).observe(restoreProgressProbe(data, since)),
    ]);
    if (ownIn(view, first)?.role === "leader" && serves(ownIn(view, first)?.state ?? "")) {
      return tooShort(intent, await host(first).observe(branchProbe(data)));
    }
    if (seen.failed) return seen.said;
    const percent = Math.round((100 * seen.bytes) / Math.max(1, backup.size));
    progress(
      percent < 98
        ? `copying: ${percent} % of ${sizeOf(backup.size)}`
        : `replaying WAL on ${first}: ${ownIn(view, first)?.state ?? "starting"}`,
    );
  }
  return `it took longer than ${spanOf(RESTORE_SECONDS)}`;
}

/** PostgreSQL takes damaged WAL for its end. Returns what is missing then, in words. */
function tooShort({ end, backup }: RestoreIntent, branch: Branch | undefined): string | undefined {
  if (!end || !branch) return undefined;
  const short = branch.timeline < end.timeline || positionOf(branch.lsn) < positionOf(end.lsn);
  return short
    ? `All WAL was to be replayed, to ${end.lsn} of timeline ${end.timeline} at the least, and it ended at ${branch.lsn} of timeline ${branch.timeline}: ${segmentAt(branch.timeline, branch.lsn, backup.segmentBytes)} is damaged. What was committed before can be restored with --target-lsn ${branch.lsn}.`
    : undefined;
}

function ownIn(view: ClusterView | undefined, name: string) {
  return view?.members.find((member) => member.name === name);
}

/** Seconds that the backup host has to follow the new timeline; else replicas are copied from the leader. */
const FOLLOW_SECONDS = 60;

/** Replicas can be made from the backup only once the backup host knows of the new timeline, which is returned. */
async function untilFollowed(
  { plan, backup, host, progress }: RestorableCluster,
  first: string,
): Promise<number> {
  progress(`waiting until ${backup.host} follows the new timeline`);
  const view = await host(first).observe(clusterViewProbe(plan.patroni.members[first] ?? ""));
  const timeline = ownIn(view, first)?.timeline ?? 1;
  for (const end = Date.now() + FOLLOW_SECONDS * 1000; Date.now() < end; await sleep(1000)) {
    const history = await host(backup.host).observe(historyProbe(backup.home, timeline));
    if (history.length > 0) break;
  }
  return timeline;
}
