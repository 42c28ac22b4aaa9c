import { setTimeout as sleep } from "node:timers/promises";
import { PgherdError } from "../errors";
import { clusterViewProbe, type ClusterView } from "../facts/patroni";
import type { Places } from "../facts/places";
import { psql } from "../facts/postgres";
import {
  branchProbe,
  commitOnce,
  endRestoreOrder,
  forgetCluster,
  historyProbe,
  orderRestore,
  positionOf,
  putDataBack,
  rememberCluster,
  restoreProgressProbe,
  setDataAside,
  stopMember,
  type Branch,
} from "../operations/restore";
import { segmentAt } from "../operations/wal";
import { sizeOf, spanOf } from "../operations/words";
import { untilSeen } from "./cluster";
import type { RestorableCluster, RestoreIntent } from "./restore-plan";

/** What came of a restore. */
export interface RestoreOutcome {
  readonly backup: string;
  readonly timeline: number;
  readonly seconds: number;
  /** Where each member keeps the data from before: `{ db1: "/var/lib/postgresql/17/main.before-restore-20261121T143000Z" }`. */
  readonly kept: { readonly [member: string]: string };
}

/** As long as the largest database takes. */
const RESTORE_SECONDS = 24 * 3600;

/** Stopping writes all that is dirty. */
const STOP = { timeoutSeconds: 3700 };

const START = "systemctl start --no-block patroni.service";

/**
 * Restores the cluster in place.
 * @throws PgherdError if it fails; then the old data serves again.
 */
export async function performRestore(
  cluster: RestorableCluster,
  intent: RestoreIntent,
): Promise<RestoreOutcome> {
  const started = Date.now();
  const { first, members } = intent;
  const stamp = new Date(started).toISOString().replace(/[-:]|\.\d+/g, "");
  const aside = `before-restore-${stamp}`;
  await stopAll(cluster, intent);
  await setAside(cluster, intent, aside);
  const failure = await restoreFirst(cluster, intent);
  if (failure !== undefined) {
    const failed = `failed-restore-${stamp}`;
    await putBack(cluster, intent, aside, failed);
    throw new PgherdError(
      `the restore failed; the cluster runs as before.\n${failure}`,
      `What was restored is kept on ${first} as ${dataOf(cluster, first)}.${failed}.`,
    );
  }
  await cluster.host(first).change("ending the order", endRestoreOrder());
  const timeline = await untilFollowed(cluster, first);
  await start(
    cluster,
    members.filter((name) => name !== first),
  );
  await untilSeen(cluster, "all members to follow", RESTORE_SECONDS, ({ members: seen }) => {
    const up = seen.filter(({ state }) => ["running", "streaming"].includes(state));
    return up.length === members.length && new Set(up.map((one) => one.timeline)).size === 1;
  });
  return {
    backup: intent.backup.id,
    timeline,
    seconds: Math.round((Date.now() - started) / 1000),
    kept: Object.fromEntries(
      members.map((name) => [name, `${dataOf(cluster, name)}.${aside}`] as const),
    ),
  };
}

function placesOf({ places }: RestorableCluster, name: string): Places {
  const found = places[name];
  if (!found) throw new Error(`${name} is no member`);
  return found;
}

function dataOf(cluster: RestorableCluster, name: string): string {
  return placesOf(cluster, name).dataDirectory;
}

/** Replicas first, so that none takes over from the leader. */
async function stopAll(
  cluster: RestorableCluster,
  { first, members, leads }: RestoreIntent,
): Promise<void> {
  const { plan, host, progress } = cluster;
  if (leads) {
    const commit = commitOnce(psql(plan.patroni.port, "postgres"));
    await host(first).change("marking the end", commit);
  }
  const stop = (name: string) =>
    host(name).change("stopping Patroni", stopMember(placesOf(cluster, name)), STOP);
  progress("stopping the replicas");
  await Promise.all(members.filter((name) => name !== first).map(stop));
  progress(`stopping ${first}`);
  await stop(first);
}

async function setAside(
  cluster: RestorableCluster,
  { members }: RestoreIntent,
  aside: string,
): Promise<void> {
  const { plan, host, progress } = cluster;
  progress("setting the present data aside");
  await Promise.all(
    members.map((name) =>
      host(name).change("setting data aside", setDataAside(dataOf(cluster, name), aside)),
    ),
  );
  await onDcs({ plan, host }, "forgetting the old cluster", forgetCluster);
}

/** Runs a script that is made of etcd's endpoints and the cluster's name, on a host that has etcdctl. */
async function onDcs(
  { plan, host }: Pick<RestorableCluster, "plan" | "host">,
  action: string,
  script: (endpoints: readonly string[], cluster: string) => string,
): Promise<void> {
  const [name = ""] = Object.keys(plan.etcd.members);
  await host(name).change(action, script(Object.values(plan.etcd.members), plan.name));
}

async function start({ host }: RestorableCluster, members: readonly string[]): Promise<void> {
  await Promise.all(members.map((name) => host(name).change("starting Patroni", START)));
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
    if (ownIn(view, first)?.role === "leader" && ownIn(view, first)?.state === "running") {
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
function tooShort({ end }: RestoreIntent, branch: Branch | undefined): string | undefined {
  if (!end || !branch) return undefined;
  const short = branch.timeline < end.timeline || positionOf(branch.lsn) < positionOf(end.lsn);
  return short
    ? `All WAL was to be replayed, to ${end.lsn} of timeline ${end.timeline} at the least, and it ended at ${branch.lsn} of timeline ${branch.timeline}: ${segmentAt(branch.timeline, branch.lsn)} is damaged. What was committed before can be restored with --target-lsn ${branch.lsn}.`
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

/** The old data serves again, and what the restore has left is kept beside it. */
async function putBack(
  cluster: RestorableCluster,
  { first, members, systemIdentifier }: RestoreIntent,
  aside: string,
  failed: string,
): Promise<void> {
  const { host, progress } = cluster;
  progress("putting the old data back");
  const script = (name: string) =>
    `${stopMember(placesOf(cluster, name))}\n${putDataBack(dataOf(cluster, name), aside, failed)}`;
  await Promise.all(
    members.map((name) => host(name).change("putting data back", script(name), STOP)),
  );
  await onDcs(cluster, "forgetting the attempt", forgetCluster);
  if (systemIdentifier) {
    await onDcs(cluster, "remembering the cluster", (endpoints, name) =>
      rememberCluster(endpoints, name, systemIdentifier),
    );
  }
  await start(cluster, [first]);
  await untilSeen(cluster, `${first} to lead again`, 300, ({ members: seen }) =>
    seen.some(({ role, state }) => role === "leader" && state === "running"),
  );
  await start(
    cluster,
    members.filter((name) => name !== first),
  );
}
