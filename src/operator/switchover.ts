import type { LongTransaction, RunningBackup } from "../facts/activity";
import { longTransactionsProbe, runningBackupsProbe } from "../facts/activity";
import { isSynchronous, takesWritesProbe } from "../facts/patroni";
import { describeCopying } from "../operations/copying";
import { leadWritesTo } from "../operations/haproxy";
import { electionProblem, isUp, leaderOf } from "../operations/health";
import { cancelSwitchover, scheduleSwitchover, switchOver } from "../operations/patroni";
import type { ClusterStatus } from "../operations/status";
import { bestCandidate, standing, unfit } from "./candidates";
import {
  describe,
  insist,
  observe,
  requireMember,
  Refusal,
  untilSeen,
  type Cluster,
  type Intent,
  type OperatorPlan,
} from "./cluster";

export interface SwitchoverRequest {
  /** Who is to lead. @default the synchronous replica that is least behind */
  readonly to?: string;
  /** When Patroni is to do it, with the time zone: `2026-11-22T02:00:00.000Z`. @default now */
  readonly at?: string;
  /** Go on in spite of long transactions and backups. @default false */
  readonly force?: boolean;
}

export interface SwitchoverIntent extends Intent {
  readonly from?: string;
  readonly to?: string;
  readonly at?: string;
}

export interface SwitchoverOutcome {
  readonly from: string;
  readonly to: string;
  /** When Patroni will do it, if not now. */
  readonly at?: string;
  /** Of the new leader's data; one more than before. */
  readonly timeline?: number;
  /** From the request until the old leader streams from the new one. */
  readonly seconds?: number;
}

/** What the leader's sessions are at. */
export interface LeaderActivity {
  readonly transactions: readonly LongTransaction[];
  readonly backups: readonly RunningBackup[];
}

const SWITCHOVER_SECONDS = 300;
/** For one question, whether the new leader takes writes. */
const LOOK_SECONDS = 5;
const IDLE: LeaderActivity = { transactions: [], backups: [] };

/** Who hands over to whom, what that does, and what speaks against it. */
export function planSwitchover(
  plan: OperatorPlan,
  status: ClusterStatus,
  activity: LeaderActivity,
  { to, at }: SwitchoverRequest,
): SwitchoverIntent {
  const from = leaderOf(status);
  if (from === undefined) {
    const refusal = `No member leads (${describe(status)}): \`pgherd failover\` is for that.`;
    return { refusals: [refusal], objections: [], effects: [] };
  }
  const candidate =
    to === undefined
      ? bestCandidate(plan, status)
      : status.members.find((member) => member.name === to);
  const refusals: string[] = [];
  const election = electionProblem(status.dcs);
  if (election) refusals.push(`${election}: the lead can be handed to nobody.`);
  if (!candidate) {
    const names = status.members.map(({ name }) => name).join(", ");
    refusals.push(
      to === undefined
        ? `No member could take over (${describe(status)}).`
        : `--to: expected one of ${names}, got "${to}".`,
    );
    return { from, at, refusals, objections: [], effects: [] };
  }
  const problem = unfit(plan, candidate);
  if (problem !== undefined) refusals.push(problem);
  else if (plan.patroni.synchronous && !isSynchronous(candidate)) {
    const others = status.members.filter(isSynchronous).map(({ name }) => name);
    refusals.push(
      `${candidate.name} confirms no commits (${standing(candidate)}), so Patroni would not hand the lead to it. ` +
        (others.length > 0 ? `Take ${others.join(" or ")}.` : "Wait until a replica does."),
    );
  }
  if (problem === undefined && (candidate.lagBytes ?? Infinity) > plan.patroni.rolling.maximumLag) {
    refusals.push(
      `${candidate.name} is too far behind (${standing(candidate)}; ${plan.patroni.rolling.maximumLag} B are allowed).`,
    );
  }
  return {
    from,
    to: candidate.name,
    at,
    refusals,
    // At its time it may look different: Patroni itself then checks the candidate.
    objections: at === undefined ? objections(plan, from, activity) : [],
    effects: effects(status, from, candidate.name, standing(candidate), at),
  };
}

function objections(
  { patroni }: OperatorPlan,
  from: string,
  { transactions, backups }: LeaderActivity,
): string[] {
  const { longestTransaction } = patroni.rolling;
  return [
    ...transactions.map(
      ({ pid, user, database, seconds }) =>
        `${from}: a transaction of ${user} in ${database} has been open for ${seconds} s (process ${pid}; ` +
        `${longestTransaction} s are allowed). It would be cut.`,
    ),
    ...backups.map((copy) => `${from}: ${describeCopying(copy)}. It would be cut.`),
  ];
}

function effects(
  { members, paused }: ClusterStatus,
  from: string,
  to: string,
  how: string,
  at: string | undefined,
): string[] {
  const others = members.map(({ name }) => name).filter((name) => ![from, to].includes(name));
  return [
    ...(at === undefined ? [] : [`Patroni does it by itself at ${at}.`]),
    `${to} (${how}) takes the lead from ${from}, which becomes a replica.`,
    ...(others.length > 0
      ? [`${others.join(", ")} then stream${others.length === 1 ? "s" : ""} from ${to}.`]
      : []),
    "No writes for some seconds; sessions on the primary's port are cut and have to connect again. Reads go on.",
    ...(paused ? ["The cluster is paused, and stays so."] : []),
  ];
}

/** Looks at the cluster and at what its leader is busy with. */
export async function considerSwitchover(
  cluster: Cluster,
  request: SwitchoverRequest,
): Promise<SwitchoverIntent> {
  requireMember(cluster, request.to);
  const status = await observe(cluster);
  const leader = leaderOf(status);
  const activity = leader === undefined ? IDLE : await activityOf(cluster, leader);
  return planSwitchover(cluster.plan, status, activity, request);
}

async function activityOf({ plan, host }: Cluster, leader: string): Promise<LeaderActivity> {
  const { port, rolling } = plan.patroni;
  const [transactions, backups] = await Promise.all([
    host(leader).observe(longTransactionsProbe(port, rolling.longestTransaction)),
    host(leader).observe(runningBackupsProbe(port)),
  ]);
  return { transactions, backups };
}

/**
 * Hands the lead over, or has Patroni do so later. Ends when the old leader streams from the new one.
 * @throws Refusal if a check speaks against it.
 */
export async function performSwitchover(
  cluster: Cluster,
  request: SwitchoverRequest,
): Promise<SwitchoverOutcome> {
  const intent = await considerSwitchover(cluster, request);
  insist("The switchover", intent, request.force ?? false, "--force");
  const { from = "", to = "", at } = intent;
  const endpoint = cluster.plan.patroni.members[from] ?? "";
  const leader = cluster.host(from);
  if (at !== undefined) {
    await leader.change("scheduling the switchover", scheduleSwitchover(endpoint, from, to, at));
    return { from, to, at };
  }
  const start = Date.now();
  cluster.progress(`switching over from ${from} to ${to}`);
  await holdBalancers(cluster);
  const done = new AbortController();
  const leading = leadClients(cluster, from, to, done.signal);
  try {
    await leader.change("switching over", switchOver(endpoint, from, to), {
      timeoutSeconds: SWITCHOVER_SECONDS,
    });
  } finally {
    done.abort();
    await leading;
  }
  const after = await untilSeen(
    cluster,
    `${to} to lead and ${from} to stream from it`,
    SWITCHOVER_SECONDS,
    (status) => {
      const old = status.members.find(({ name }) => name === from);
      return leaderOf(status) === to && old !== undefined && isUp(old) && old.upstream === to;
    },
  );
  const { timeline } = after.members.find(({ name }) => name === to) ?? {};
  return { from, to, timeline, seconds: (Date.now() - start) / 1000 };
}

/** Connects to the balancers before the time in which every tenth of a second counts. */
async function holdBalancers(cluster: Cluster): Promise<void> {
  await onBalancers(cluster, "standing by", ":");
}

/**
 * Tells the balancers of the new leader as soon as it takes writes. They would find it by themselves, after as many
 * checks as their settings ask for.
 */
async function leadClients(
  cluster: Cluster,
  from: string,
  to: string,
  done: AbortSignal,
): Promise<void> {
  const probe = takesWritesProbe(cluster.plan.patroni.members[to] ?? "", LOOK_SECONDS);
  while (!done.aborted) {
    const leads = await cluster
      .host(to)
      .observe(probe)
      .catch(() => false);
    if (leads) return onBalancers(cluster, "leading clients", leadWritesTo(to, from));
  }
}

/** What is done there only saves time: a balancer that is away keeps nobody from switching over. */
async function onBalancers({ plan, host }: Cluster, action: string, script: string): Promise<void> {
  const hosts = plan.entryPoint?.hosts ?? [];
  await Promise.allSettled(hosts.map((name) => host(name).change(action, script)));
}

/** Takes a scheduled switchover back. @throws Refusal if there is none. */
export async function revokeSwitchover(cluster: Cluster): Promise<void> {
  const status = await observe(cluster);
  const leader = leaderOf(status);
  if (!status.scheduledSwitchover || leader === undefined) {
    throw new Refusal("Taking the switchover back", ["None is scheduled."]);
  }
  const endpoint = cluster.plan.patroni.members[leader] ?? "";
  await cluster.host(leader).change("taking the switchover back", cancelSwitchover(endpoint));
}
