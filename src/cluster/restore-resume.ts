import { setTimeout as sleep } from "node:timers/promises";
import { PgherdError } from "../errors";
import { follows, leaderOf } from "../facts/member-state";
import { clusterViewProbe } from "../facts/patroni";
import type { RestoreRecord } from "../facts/restore-record";
import { attemptProbe, endRestoreOrder } from "../operations/restore-data";
import { branchProbe } from "../operations/restore";
import { timelinesProbe } from "../operations/timelines";
import { historyProbe, replaceHistory, trueHistory } from "../operations/true-history";
import type { Intent } from "./cluster";
import { endFirstSegment } from "./end-segment";
import type { RestorableCluster } from "./restore-plan";
import { dataOf, forget, note, receiveAgain, RESTORE_SECONDS, start } from "./restore-steps";
import type { CutOff } from "./restore-undo";
import { ownIn, tooShort, watchFirst, whoLeads } from "./restore-watch";
import { untilSeen } from "./until-seen";

// How a restore comes to its end: the restored data leads, the backup host receives what it writes, the others follow.
// Patroni goes on alone where a command was cut off: who leads is asked, and not only read in the record.

/** What came of a restore. */
export interface Finished {
  readonly timeline: number;
  /** Where each member keeps the data from before: `{ db1: "/var/lib/postgresql/17/main.before-restore-20261121T143000Z" }`. */
  readonly kept: { readonly [member: string]: string };
  /** Where each keeps what was in the places of tablespaces, if there was any. */
  readonly keptTablespaces?: { readonly [member: string]: readonly string[] };
}

/** What going on with a restore comes to that was cut off, and whether it can be done. */
export async function considerResume(
  cluster: RestorableCluster,
  { record, within }: CutOff,
): Promise<Intent> {
  const { first, members, phase, target } = record;
  const leader = await whoLeads(cluster, within);
  const others = members.filter((name) => name !== (leader ?? first)).join(", ") || "nobody";
  const intent = (effect: string, ...refusals: string[]): Intent => ({
    ...{ refusals, objections: [], effects: [effect] },
  });
  const no = (why: string) =>
    intent(
      "",
      `${why} \`pgherd restore --undo\` puts the data from before back, and then it can be done anew.`,
    );
  if (phase === "restored") {
    return leader === undefined
      ? intent(`starts ${first} with the restored data, and has ${others} follow it`)
      : intent(`${leader} leads with the restored data; has ${others} follow it`);
  }
  const before = `the restore to ${target} was cut off before the restored data led`;
  if (phase === "stopping") return no(`${before}: no data was moved.`);
  if (!within.includes(first)) return no(`${before}, and ${first} knows no more of it.`);
  const data = dataOf(cluster, first);
  const { aside, underWay } = await cluster.host(first).observe(attemptProbe(data, record.aside));
  if (leader !== undefined && (leader !== first || !aside)) {
    return no(`${before}, and ${leader} leads with other data.`);
  }
  if (leader === first) {
    const short = tooShort(record, await cluster.host(first).observe(branchProbe(data)));
    return short === undefined
      ? intent(
          `${first} has come to lead with the restored data by itself; has ${others} follow it`,
        )
      : no(short);
  }
  return aside && underWay
    ? intent(`${first} is being restored; waits until it leads, and has ${others} follow it`)
    : no(`${before}.`);
}

/**
 * Brings a restore to its end whose first member leads with the restored data, or is on its way there. It may be run
 * again.
 * @throws PgherdError if what it comes to lead with is not all that was asked for.
 */
export async function finishRestore(
  cluster: RestorableCluster,
  { record, within }: CutOff,
): Promise<Finished> {
  const { first, members, aside, phase } = record;
  if (phase !== "restored") {
    const failure = await watchFirst(cluster, record, record.begun);
    if (failure !== undefined) {
      throw new PgherdError(failure, "Put the data from before back: pgherd restore --undo");
    }
    await note(cluster, { ...record, phase: "restored" });
  }
  await cluster.host(first).change("ending the order", endRestoreOrder());
  await mendHistory(cluster, first);
  // Patroni of another one may have taken over since.
  const leader = (await whoLeads(cluster, within)) ?? first;
  await start(cluster, [leader]);
  await receiveAgain(cluster);
  await untilSeen(
    cluster,
    `${leader} to lead`,
    LEAD_SECONDS,
    (status) => leaderOf(status) !== undefined,
  );
  await endFirstSegment(cluster, leader);
  const timeline = await untilFollowed(cluster, leader);
  await start(
    cluster,
    members.filter((name) => name !== leader),
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
    keptTablespaces: asidePlaces(record),
  };
}

/** Before anybody reads it: the restored data alone is there, and the backup host receives nothing yet. */
async function mendHistory(cluster: RestorableCluster, name: string): Promise<void> {
  const data = dataOf(cluster, name);
  const found = await cluster.host(name).observe(historyProbe(data));
  const history = found && trueHistory(found);
  if (!history || history === found) return;
  await cluster.host(name).change("mending the history", replaceHistory(data, history));
}

/** Where members keep what was in the places of tablespaces. */
export function asidePlaces({ tablespaces = {}, aside }: RestoreRecord): {
  [member: string]: string[];
} {
  return Object.fromEntries(
    Object.entries(tablespaces)
      .map(([name, places]) => [name, places.aside.map((path) => `${path}.${aside}`)] as const)
      .filter(([, paths]) => paths.length > 0),
  );
}

/** Seconds in which a member that was started leads. */
const LEAD_SECONDS = 300;

/** Seconds that the backup host has to follow a new timeline; else replicas are copied from the leader. */
const FOLLOW_SECONDS = 60;

/** Replicas can be made from the backup only once the backup host knows of the new timeline, which is returned. */
export async function untilFollowed(
  { plan, backup, host, progress }: RestorableCluster,
  leader: string,
): Promise<number> {
  progress(`waiting until ${backup.host} follows the new timeline`);
  const view = await host(leader).observe(clusterViewProbe(plan.patroni.members[leader] ?? ""));
  const timeline = ownIn(view, leader)?.timeline ?? 1;
  for (const end = Date.now() + FOLLOW_SECONDS * 1000; Date.now() < end; await sleep(1000)) {
    const known = await host(backup.host).observe(timelinesProbe(backup.home));
    if (known.some(({ id }) => id === timeline)) break;
  }
  return timeline;
}
