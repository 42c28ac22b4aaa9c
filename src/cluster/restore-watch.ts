import { setTimeout as sleep } from "node:timers/promises";
import { leaderOf } from "../facts/member-state";
import { clusterViewProbe, type ClusterView } from "../facts/patroni";
import type { RestoreRecord } from "../facts/restore-record";
import { branchProbe, positionOf, restoreProgressProbe, type Branch } from "../operations/restore";
import { NO_PLACES } from "../operations/restore-tablespaces";
import { segmentAt } from "../operations/wal";
import { sizeOf, spanOf } from "../operations/words";
import type { RestorableCluster } from "./restore-plan";
import { dataOf, RESTORE_SECONDS } from "./restore-steps";

// How the first member comes to lead with the restored data, and whether these are all that was asked for.

/**
 * Waits until the first member leads with the restored data. Returns why it never will, if it does not.
 * @param since seconds since 1970 from when on what its Patroni says is of this restore.
 */
export async function watchFirst(
  cluster: RestorableCluster,
  record: RestoreRecord,
  since: number,
): Promise<string | undefined> {
  const { plan, host, progress } = cluster;
  const { first, backup, tablespaces = {} } = record;
  const { aside, made } = tablespaces[first] ?? NO_PLACES;
  const data = dataOf(cluster, first);
  const endpoint = plan.patroni.members[first] ?? "";
  const end = Date.now() + RESTORE_SECONDS * 1000;
  while (Date.now() < end) {
    await sleep(1000);
    const [view, seen] = await Promise.all([
      host(first).observe(clusterViewProbe(endpoint)),
      host(first).observe(restoreProgressProbe(data, since, [...aside, ...made])),
    ]);
    if (leaderOf(view) === first)
      return tooShort(record, await host(first).observe(branchProbe(data)));
    if (seen.failed) return seen.said;
    const percent = Math.round((100 * seen.bytes) / Math.max(1, backup?.size ?? 1));
    progress(
      percent < 98
        ? `copying: ${percent} % of ${sizeOf(backup?.size ?? 0)}`
        : `replaying WAL on ${first}: ${ownIn(view, first)?.state ?? "starting"}`,
    );
  }
  return `it took longer than ${spanOf(RESTORE_SECONDS)}`;
}

/** PostgreSQL takes damaged WAL for its end. Returns what is missing then, in words. */
export function tooShort(
  { end, backup }: Pick<RestoreRecord, "end" | "backup">,
  branch: Branch | undefined,
): string | undefined {
  if (!end || !branch || !backup) return undefined;
  const short = branch.timeline < end.timeline || positionOf(branch.lsn) < positionOf(end.lsn);
  return short
    ? `All WAL was to be replayed, to ${end.lsn} of timeline ${end.timeline} at the least, and it ended at ${branch.lsn} of timeline ${branch.timeline}: ${segmentAt(branch.timeline, branch.lsn, backup.segmentBytes)} is damaged. What was committed before can be restored with --target-lsn ${branch.lsn}.`
    : undefined;
}

/** The member that leads now and takes writes, as those say that can be asked. */
export async function whoLeads(
  { plan, host }: Pick<RestorableCluster, "plan" | "host">,
  members: readonly string[],
): Promise<string | undefined> {
  const views = await Promise.all(
    members.map((name) => host(name).observe(clusterViewProbe(plan.patroni.members[name] ?? ""))),
  );
  const names = Object.keys(plan.patroni.members);
  return names.find((name) => views.some((view) => leaderOf(view) === name));
}

export function ownIn(view: ClusterView | undefined, name: string) {
  return view?.members.find((member) => member.name === name);
}
