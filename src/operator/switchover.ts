import { setTimeout as sleep } from "node:timers/promises";
import type { LongTransaction, RunningBackup } from "../facts/activity";
import { longTransactionsProbe, runningBackupsProbe } from "../facts/activity";
import { isSynchronous, takesWritesProbe } from "../facts/patroni";
import { askEach } from "../operations/ask";
import { describeCopying } from "../operations/copying";
import { leadWritesTo } from "../operations/haproxy";
import { electionProblem, isUp, leaderOf } from "../operations/health";
import { cancelSwitchover, scheduleSwitchover, switchOver } from "../operations/patroni";
import type { ClusterStatus, MemberState } from "../operations/status";
import { bestCandidate, seenByOthers, standing, unfit } from "./candidates";
import {
  describe,
  insist,
  observe,
  requireMember,
  Refusal,
  spokesman,
  type Cluster,
  type Intent,
  type OperatorPlan,
} from "./cluster";
import { untilSeen } from "./until-seen";

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
  /** The member whose Patroni is asked for it. */
  readonly via?: string;
  /** Who sees first that the new leader takes writes. */
  readonly witness?: string;
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
/** Milliseconds that balancers have to be connected to, and to do what they are asked. */
const BALANCERS_MS = 3000;
const IDLE: LeaderActivity = { transactions: [], backups: [] };

/**
 * Who hands over to whom, what that does, and what speaks against it.
 * @param activity nothing where the leader could not be asked.
 */
export function planSwitchover(
  plan: OperatorPlan,
  status: ClusterStatus,
  activity: LeaderActivity | undefined,
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
  const via = spokesman(status, from);
  if (via === undefined) refusals.push("No member's Patroni answers that could be asked for it.");
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
    via,
    witness: candidate.unasked ? via : candidate.name,
    refusals,
    // At its time it may look different: Patroni itself then checks the candidate.
    objections: at === undefined ? objections(plan, from, activity) : [],
    effects: effects(status, from, candidate, at),
  };
}

function objections(
  { patroni }: OperatorPlan,
  from: string,
  activity: LeaderActivity | undefined,
): string[] {
  if (!activity) {
    return [
      `${from} cannot be reached from here: whether long transactions or backups run there, which would be cut, is not known.`,
    ];
  }
  const { transactions, backups } = activity;
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
  candidate: MemberState,
  at: string | undefined,
): string[] {
  const { name: to } = candidate;
  const others = members.map(({ name }) => name).filter((name) => ![from, to].includes(name));
  return [
    ...(at === undefined ? [] : [`Patroni does it by itself at ${at}.`]),
    `${to} (${standing(candidate)}) takes the lead from ${from}, which becomes a replica.`,
    ...seenByOthers(candidate),
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

/** Nothing where its host cannot be reached. */
async function activityOf(cluster: Cluster, leader: string): Promise<LeaderActivity | undefined> {
  const { port, rolling } = cluster.plan.patroni;
  const { answers } = await askEach(cluster, [leader], async (host) => {
    const [transactions, backups] = await Promise.all([
      host.observe(longTransactionsProbe(port, rolling.longestTransaction)),
      host.observe(runningBackupsProbe(port)),
    ]);
    return { transactions, backups };
  });
  return answers[leader];
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
  const { from = "", to = "", via = "", at } = intent;
  const endpoint = cluster.plan.patroni.members[via] ?? "";
  const asked = cluster.host(via);
  if (at !== undefined) {
    await asked.change("scheduling the switchover", scheduleSwitchover(endpoint, from, to, at));
    return { from, to, at };
  }
  const start = Date.now();
  cluster.progress(`switching over from ${from} to ${to}`);
  await holdBalancers(cluster);
  const done = new AbortController();
  const leading = leadClients(cluster, intent, done.signal);
  try {
    await asked.change("switching over", switchOver(endpoint, from, to), {
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
  { from = "", to = "", witness = "" }: SwitchoverIntent,
  done: AbortSignal,
): Promise<void> {
  const probe = takesWritesProbe(cluster.plan.patroni.members[to] ?? "", LOOK_SECONDS);
  while (!done.aborted) {
    const leads = await cluster
      .host(witness)
      .observe(probe)
      .catch(() => sleep(LOOK_SECONDS * 1000, false, { signal: done }).catch(() => false));
    if (leads) return onBalancers(cluster, "leading clients", leadWritesTo(to, from));
  }
}

/** What is done there only saves time: a balancer that is away keeps nobody from switching over, and is not waited for. */
async function onBalancers({ plan, host }: Cluster, action: string, script: string): Promise<void> {
  const hosts = plan.entryPoint?.hosts ?? [];
  const all = Promise.allSettled(hosts.map((name) => host(name).change(action, script)));
  const ended = new AbortController();
  await Promise.race([all, sleep(BALANCERS_MS, undefined, { signal: ended.signal })]);
  ended.abort();
}

/** Takes a scheduled switchover back. @throws Refusal if there is none. */
export async function revokeSwitchover(cluster: Cluster): Promise<void> {
  const status = await observe(cluster);
  const via = spokesman(status, leaderOf(status));
  if (via === undefined) {
    throw new Refusal("Taking the switchover back", ["No member's Patroni answers."]);
  }
  if (!status.scheduledSwitchover) {
    throw new Refusal("Taking the switchover back", ["None is scheduled."]);
  }
  const endpoint = cluster.plan.patroni.members[via] ?? "";
  await cluster.host(via).change("taking the switchover back", cancelSwitchover(endpoint));
}
