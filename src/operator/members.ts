import { longTransactionsProbe, runningBackupsProbe } from "../facts/activity";
import { memberStatusProbe } from "../facts/patroni";
import { askEach } from "../operations/ask";
import { isOutOfReach } from "../operations/ask";
import { describeCopying } from "../operations/copying";
import { drained } from "../operations/drain";
import { isUp, leaderOf } from "../operations/health";
import {
  reinitialize,
  reloadMember,
  restartAnyway,
  restartPostgres,
  setPause,
} from "../operations/patroni";
import type { ClusterStatus, MemberState } from "../operations/status";
import { describeStuck, Standstill, WHILE_COPIED } from "../operations/stuck";
import { waitFor } from "../operations/wait";
import {
  insist,
  memberOf,
  observe,
  requireMember,
  Refusal,
  spokesman,
  type Cluster,
  type Intent,
} from "./cluster";
import { endFirstSegment } from "./end-segment";
import { untilSeen } from "./until-seen";

/** HAProxy's entrances that lead to replicas. */
const READING = ["replica", "synchronous", "asynchronous"];

/** A restart ends with a checkpoint, which takes as long as the disk needs. */
const RESTART_SECONDS = 900;
/** A copy takes as long as the network needs for the whole database. */
const COPY_SECONDS = 24 * 3600;
/** Members look into the DCS once a round. */
const PAUSE_SECONDS = 120;

export interface RestartRequest {
  /** Only if a setting waits for it. @default false */
  readonly pendingOnly?: boolean;
  /** Go on in spite of long transactions. @default false */
  readonly force?: boolean;
}

/** What a restart of a member does, and what speaks against it. */
export async function considerRestart(
  cluster: Cluster,
  name: string,
  { pendingOnly = false }: RestartRequest,
): Promise<Intent> {
  requireMember(cluster, name);
  const status = await observe(cluster);
  const member = memberOf(status, name);
  const away = unable(member, "it restarts PostgreSQL");
  if (away) return refused(away);
  if (pendingOnly && !member.pendingRestart)
    return refused(`Nothing waits for a restart on ${name}.`);
  const { port, rolling } = cluster.plan.patroni;
  const host = cluster.host(name);
  const [open, copies] = isUp(member)
    ? await Promise.all([
        host.observe(longTransactionsProbe(port, rolling.longestTransaction)),
        host.observe(runningBackupsProbe(port)),
      ])
    : [[], []];
  return {
    refusals: [],
    objections: [
      ...open.map(
        ({ pid, user, database, seconds }) =>
          `${name}: a transaction of ${user} in ${database} has been open for ${seconds} s (process ${pid}). It would be cut.`,
      ),
      ...copies.map((copy) => `${name}: ${describeCopying(copy)}. It would be cut.`),
    ],
    effects:
      member.role === "leader"
        ? [
            `PostgreSQL on ${name} restarts. It leads: no writes until it is back, and all its sessions are cut.`,
            "A switchover first costs less: `pgherd switchover`, then restart it as a replica.",
          ]
        : [
            `${name} is drained in HAProxy (up to ${rolling.drain} s), PostgreSQL on it restarts, and it is taken back in.`,
            ...undrained(status, name),
          ],
  };
}

/** Restarts PostgreSQL on a member; a replica is drained before. Ends when it runs again. */
export async function performRestart(
  cluster: Cluster,
  name: string,
  request: RestartRequest,
): Promise<{ readonly seconds: number }> {
  insist(
    `A restart of ${name}`,
    await considerRestart(cluster, name, request),
    request.force ?? false,
    "--force",
  );
  const start = Date.now();
  const endpoint = cluster.plan.patroni.members[name] ?? "";
  const restart = async () => {
    cluster.progress(`restarting PostgreSQL on ${name}`);
    const script = request.pendingOnly ? restartPostgres(endpoint) : restartAnyway(endpoint);
    await cluster
      .host(name)
      .change("restarting PostgreSQL", script, { timeoutSeconds: RESTART_SECONDS });
    await untilBack(cluster, name, RESTART_SECONDS);
  };
  const status = await observe(cluster);
  if (leaderOf(status) === name) await restart();
  else {
    const options = {
      balancers: answeringBalancers(cluster, status),
      seconds: cluster.plan.patroni.rolling.drain,
      progress: (message: string) => cluster.progress(message),
    };
    await drained(cluster, name, options, restart);
  }
  return { seconds: (Date.now() - start) / 1000 };
}

/** What a balancer does that only this machine cannot reach. */
function undrained({ loadBalancers }: ClusterStatus, name: string): string[] {
  const unasked = loadBalancers.filter(({ unknown }) => unknown).map(({ host }) => host);
  if (unasked.length === 0) return [];
  return [
    `${unasked.join(" and ")} cannot be reached from here, and ${unasked.length > 1 ? "drain" : "drains"} nothing: sessions that came to ${name} that way are cut.`,
  ];
}

/** Why nothing can be asked of a member's Patroni; nothing if it can. @param does what it would do */
function unable({ name, unasked, condition }: MemberState, does: string): string | undefined {
  if (unasked)
    return `${name} cannot be reached from here, and the Patroni there is the one that ${does.replace(/^it /, "")}.`;
  if (condition === "silent") return `Patroni on ${name} does not answer; ${does}.`;
  return undefined;
}

/** One that cannot be asked is not waited for. */
function answeringBalancers({ plan }: Cluster, { loadBalancers }: ClusterStatus) {
  return {
    hosts: loadBalancers.filter(({ answers }) => answers).map(({ host }) => host),
    entrances: READING,
    statsPort: plan.entryPoint?.statsPort ?? 0,
  };
}

/** Makes a member read its files again. Nothing restarts. */
export async function performReload(cluster: Cluster, name: string): Promise<void> {
  requireMember(cluster, name);
  const endpoint = cluster.plan.patroni.members[name] ?? "";
  await cluster.host(name).change("reloading", reloadMember(endpoint));
}

/** What it means to copy a member's data anew. */
export async function considerReinit(cluster: Cluster, name: string): Promise<Intent> {
  requireMember(cluster, name);
  const status = await observe(cluster);
  const member = memberOf(status, name);
  const leader = leaderOf(status);
  if (leader === undefined) return refused("No member leads that could be copied.");
  if (leader === name) return refused(`${name} leads: its data is what the others are copies of.`);
  const away = unable(member, "it does the copying");
  if (away) return refused(away);
  return {
    refusals: [],
    objections: [],
    effects: [
      `All data of PostgreSQL on ${name} is deleted and copied anew from the cluster; until then ${name} takes no reads and no lead.`,
    ],
  };
}

/** A copy from a backup goes on with the archive's whole segments; a leader that is copied itself needs none. */
async function wholeSegments(cluster: Cluster): Promise<void> {
  if (!cluster.plan.backup) return;
  const leader = leaderOf(await observe(cluster));
  if (leader === undefined) return;
  try {
    await endFirstSegment(cluster, leader);
  } catch (error) {
    // A leader that only this machine cannot reach: mostly there is nothing to end.
    if (!isOutOfReach(error)) throw error;
  }
}

/** Deletes a replica's data and copies it anew. Ends when it streams again. */
export async function performReinit(
  cluster: Cluster,
  name: string,
): Promise<{ readonly seconds: number }> {
  insist(`A new copy on ${name}`, await considerReinit(cluster, name), false, "");
  const start = Date.now();
  const endpoint = cluster.plan.patroni.members[name] ?? "";
  await wholeSegments(cluster);
  await cluster.host(name).change("copying anew", reinitialize(endpoint));
  // Patroni answers as soon as it has begun; the old server may be up for a moment still.
  await untilSeen(cluster, `${name} to begin its copy`, 60, (status) => {
    const { condition, unasked, upstream } = memberOf(status, name);
    // Who cannot be asked for a moment has not begun by that.
    if (unasked || condition === "silent" || condition === "unknown") return false;
    return condition !== "serving" || upstream === undefined;
  });
  const standstill = new Standstill(WHILE_COPIED);
  await untilBack(cluster, name, COPY_SECONDS, ({ members, paused }) => {
    const stuck = standstill.see([name], { members, paused });
    return stuck.length === 0 ? undefined : describeStuck(stuck);
  });
  return { seconds: (Date.now() - start) / 1000 };
}

function untilBack(
  cluster: Cluster,
  name: string,
  seconds: number,
  hopeless?: (status: ClusterStatus) => string | undefined,
): Promise<ClusterStatus> {
  const isBack = (status: ClusterStatus) => {
    const member = memberOf(status, name);
    return isUp(member) && (member.role === "leader" || member.upstream !== undefined);
  };
  return untilSeen(cluster, `${name} to run again`, seconds, isBack, hopeless);
}

/** Leaves the cluster to itself, or takes it in hand again. Ends when every member that answers knows. */
export async function performPause(cluster: Cluster, paused: boolean): Promise<void> {
  const status = await observe(cluster);
  const answering = status.members.filter(
    ({ condition, unasked }) => condition !== "silent" && !unasked,
  );
  const by = spokesman(status, leaderOf(status));
  if (by === undefined) throw new Refusal("The change", ["No member's Patroni answers."]);
  const { members } = cluster.plan.patroni;
  await cluster
    .host(by)
    .change(paused ? "pausing" : "resuming", setPause(members[by] ?? "", paused));
  await waitFor<true>(
    async () => {
      const names = answering.map(({ name }) => name);
      const { answers } = await askEach(cluster, names, (host, name) =>
        host.observe(memberStatusProbe(members[name] ?? "")),
      );
      const late = names.filter((name) => answers[name]?.paused !== paused);
      return late.length === 0 ? { done: true } : { missing: `not yet ${late.join(", ")}` };
    },
    {
      expected: "all members to know",
      seconds: PAUSE_SECONDS,
      next: "pgherd status.",
      progress: (message) => cluster.progress(message),
    },
  );
}

function refused(reason: string): Intent {
  return { refusals: [reason], objections: [], effects: [] };
}
