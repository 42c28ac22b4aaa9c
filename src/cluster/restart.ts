import { fullDisksProbe } from "../facts/full-disk";
import { isUp, leaderOf, NOT_TO_BE_ASKED } from "../facts/member-state";
import { drained, type DrainOptions } from "../operations/drain";
import { describeFull } from "../operations/full-disk";
import { restartAnyway, restartPostgres } from "../operations/patroni";
import type { ClusterStatus } from "../operations/status";
import { Standstill } from "../operations/stuck";
import { activityOf, wouldCut } from "./activity";
import { alteredProblems } from "./altered-start";
import {
  insist,
  memberOf,
  observe,
  refused,
  requireMember,
  unable,
  type Cluster,
  type Intent,
} from "./cluster";
import { whyNotWait } from "./standstill";
import { untilSeen, type Prospect } from "./until-seen";

/** HAProxy's entrances that lead to replicas. */
const READING = ["replica", "synchronous", "asynchronous"];

/** A restart ends with a checkpoint, which takes as long as the disk needs. */
const RESTART_SECONDS = 900;

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
  const away = await unable(cluster, member, "it restarts PostgreSQL");
  if (away.length > 0) return refused(...away);
  if (pendingOnly && !member.pendingRestart)
    return refused(`Nothing waits for a restart on ${name}.`);
  const { port, rolling } = cluster.plan.patroni;
  const { longestTransaction } = rolling;
  const activity = isUp(member)
    ? await activityOf(cluster, name, port, longestTransaction)
    : undefined;
  return {
    // Of a server that runs, and that Patroni cannot ask, the same is to be known.
    refusals:
      isUp(member) || member.state === NOT_TO_BE_ASKED ? await alteredProblems(cluster, name) : [],
    objections: [
      ...(activity ? wouldCut(name, activity, longestTransaction) : []),
      ...describeFull(name, await cluster.host(name).observe(fullDisksProbe), !isUp(member)),
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
  const status = await observe(cluster);
  const drain = leaderOf(status) === name ? undefined : answeringBalancers(cluster, status);
  await restartMember(cluster, name, { pendingOnly: request.pendingOnly ?? false, drain });
  return { seconds: (Date.now() - start) / 1000 };
}

interface RestartWork {
  /** Only if a setting waits for it. */
  readonly pendingOnly: boolean;
  /** Where it is drained before; nothing where it is not, as a leader's sessions have nowhere else to go. */
  readonly drain?: DrainOptions["balancers"];
  /** Bytes: a replica has to be as near to its leader before it counts as back. @default any distance */
  readonly maximumLag?: number;
}

/** The restart itself, once nothing speaks against it. Ends when the member runs again, and streams if it does not lead. */
export async function restartMember(
  cluster: Cluster,
  name: string,
  { pendingOnly, drain, maximumLag }: RestartWork,
): Promise<void> {
  const endpoint = cluster.plan.patroni.members[name] ?? "";
  const restart = async () => {
    cluster.progress(`restarting PostgreSQL on ${name}`);
    const script = pendingOnly ? restartPostgres(endpoint) : restartAnyway(endpoint);
    await cluster
      .host(name)
      .change("restarting PostgreSQL", script, { timeoutSeconds: RESTART_SECONDS });
    const standstill = new Standstill();
    await untilBack(
      cluster,
      name,
      RESTART_SECONDS,
      (status) => whyNotWait(cluster, standstill, [name], status),
      maximumLag,
    );
  };
  if (!drain) return restart();
  const options = {
    balancers: drain,
    seconds: cluster.plan.patroni.rolling.drain,
    progress: (message: string) => cluster.progress(message),
  };
  await drained(cluster, name, options, restart);
}

/** What a balancer does that only this machine cannot reach. */
function undrained({ loadBalancers }: ClusterStatus, name: string): string[] {
  const unasked = loadBalancers.filter(({ unknown }) => unknown).map(({ host }) => host);
  if (unasked.length === 0) return [];
  return [
    `${unasked.join(" and ")} cannot be reached from here, and ${unasked.length > 1 ? "drain" : "drains"} nothing: sessions that came to ${name} that way are cut.`,
  ];
}

/** One that cannot be asked is not waited for. */
function answeringBalancers({ plan }: Cluster, { loadBalancers }: ClusterStatus) {
  return {
    hosts: loadBalancers.filter(({ answers }) => answers).map(({ host }) => host),
    entrances: READING,
    statsPort: plan.entryPoint?.statsPort ?? 0,
  };
}

/**
 * Waits until a member runs again: as the leader, or as a replica that streams.
 * @param maximumLag bytes that it may be behind then. @default any distance
 */
export function untilBack(
  cluster: Cluster,
  name: string,
  seconds: number,
  prospect: (status: ClusterStatus) => Promise<Prospect> | Prospect,
  maximumLag = Infinity,
): Promise<ClusterStatus> {
  const isBack = (status: ClusterStatus) => {
    const member = memberOf(status, name);
    if (!isUp(member)) return false;
    if (member.role === "leader") return true;
    return member.upstream !== undefined && (member.lagBytes ?? Infinity) <= maximumLag;
  };
  return untilSeen(cluster, `${name} to run again`, seconds, isBack, prospect);
}
