import { loadedIfUpProbe } from "../facts/loaded";
import { isUp, leaderOf } from "../facts/member-state";
import { askEach } from "../operations/ask";
import { blindingProblems } from "../operations/loaded";
import { electionProblem } from "../operations/roles/dcs";
import { cancelSwitchover, scheduleSwitchover } from "../operations/patroni";
import { followsProblem } from "../operations/writes";
import type { ClusterStatus, MemberState } from "../operations/status";
import { activityOf, IDLE, wouldCut, type Activity } from "./activity";
import {
  chooseLeader,
  leadRules,
  nobodyBecause,
  seenByOthers,
  standing,
  whyNot,
  type Choice,
} from "./candidates";
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
import { handOver, type Handover } from "./hand-over";

export interface SwitchoverRequest {
  /** Who is to lead. @default the synchronous replica that is least behind */
  readonly to?: string;
  /** When Patroni is to do it, with the time zone: `2026-11-22T02:00:00.000Z`. @default now */
  readonly at?: string;
  /** Go on in spite of long transactions and backups. @default false */
  readonly force?: boolean;
}

interface SwitchoverIntent extends Intent, Partial<Handover> {
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

/** What a switchover would cut. */
export interface SwitchoverActivity {
  /** On the leader; nothing where it cannot be reached. */
  readonly leader: Activity | undefined;
  /** On whoever is to lead: a copy that is taken from a replica fails with its promotion (access/transam/xlogbackup.c). */
  readonly candidate: Activity | undefined;
  /** What Patroni's new sessions would have, with which it could not ask its servers. */
  readonly blinding?: readonly string[];
}

/** Who hands over to whom, what that does, and what speaks against it. */
export function planSwitchover(
  plan: OperatorPlan,
  status: ClusterStatus,
  activity: SwitchoverActivity,
  { to, at }: SwitchoverRequest,
): SwitchoverIntent {
  const from = leaderOf(status);
  if (from === undefined) {
    const refusal =
      followsProblem(status) ??
      `No member leads (${describe(status)}): \`pgherd failover\` is for that.`;
    return { refusals: [refusal], objections: [], effects: [] };
  }
  const choice = chooseLeader(leadRules(plan.patroni), "handover", status.members);
  const candidate = candidateOf(choice, status, to);
  const refusals: string[] = [];
  const via = spokesman(status, from);
  if (via === undefined) refusals.push("No member's Patroni answers that could be asked for it.");
  const election = electionProblem(status.dcs);
  if (election) refusals.push(`${election}: the lead can be handed to nobody.`);
  if (!candidate) {
    const names = status.members.map(({ name }) => name).join(", ");
    refusals.push(
      to === undefined
        ? `No member may take over: ${nobodyBecause(choice)}.`
        : `--to: expected one of ${names}, got "${to}".`,
    );
    return { from, at, refusals, objections: [], effects: [] };
  }
  refusals.push(...whyNot(choice, candidate.name), ...(activity.blinding ?? []));
  return {
    from,
    to: candidate.name,
    at,
    via,
    witness: candidate.unasked ? via : candidate.name,
    refusals,
    // At its time it may look different: Patroni itself then checks the candidate.
    objections: at === undefined ? objections(plan, from, candidate.name, activity) : [],
    effects: effects(status, from, candidate, at),
  };
}

function candidateOf(
  { able }: Choice<MemberState>,
  { members }: ClusterStatus,
  to: string | undefined,
): MemberState | undefined {
  return to === undefined ? able[0] : members.find((member) => member.name === to);
}

function objections(
  { patroni }: OperatorPlan,
  from: string,
  to: string,
  { leader, candidate }: SwitchoverActivity,
): string[] {
  const { longestTransaction } = patroni.rolling;
  return [
    ...(leader
      ? wouldCut(from, leader, longestTransaction)
      : [
          `${from} cannot be reached from here: whether long transactions or backups run there, which would be cut, is not known.`,
        ]),
    // Who reads from the new leader goes on.
    ...wouldCut(to, { ...IDLE, backups: candidate?.backups ?? [] }, longestTransaction),
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

/** Looks at the cluster and at what those are busy with that the lead is handed from and to. */
export async function considerSwitchover(
  cluster: Cluster,
  request: SwitchoverRequest,
): Promise<SwitchoverIntent> {
  requireMember(cluster, request.to, "--to");
  const status = await observe(cluster);
  const activity = await activityOn(cluster, status, request);
  return planSwitchover(cluster.plan, status, activity, request);
}

async function activityOn(
  cluster: Cluster,
  status: ClusterStatus,
  { to }: SwitchoverRequest,
): Promise<SwitchoverActivity> {
  const { port, rolling } = cluster.plan.patroni;
  const leader = leaderOf(status);
  const choice = chooseLeader(leadRules(cluster.plan.patroni), "handover", status.members);
  const candidate = candidateOf(choice, status, to);
  // Of one that does not run, the plan says so.
  const ask = async (name: string | undefined) =>
    name === undefined ? IDLE : activityOf(cluster, name, port, rolling.longestTransaction);
  const [first, second, { answers }] = await Promise.all([
    ask(leader),
    ask(candidate && isUp(candidate) && candidate.name !== leader ? candidate.name : undefined),
    askEach(cluster, leader === undefined ? [] : [leader], (host) =>
      host.observe(loadedIfUpProbe(port)),
    ),
  ]);
  const blinding = Object.values(answers).flatMap((found) =>
    found ? blindingProblems(found) : [],
  );
  return { leader: first, candidate: second, blinding };
}

/**
 * Hands the lead over, or has Patroni do so later. Ends when the old leader streams from the new one, and HAProxy leads
 * writes to that one.
 * @throws Refusal if a check speaks against it.
 */
export async function performSwitchover(
  cluster: Cluster,
  request: SwitchoverRequest,
): Promise<SwitchoverOutcome> {
  const intent = await considerSwitchover(cluster, request);
  insist("The switchover", intent, request.force ?? false, "--force");
  const { from = "", to = "", via = "", witness = "", at } = intent;
  if (at !== undefined) {
    const endpoint = cluster.plan.patroni.members[via] ?? "";
    await cluster
      .host(via)
      .change("scheduling the switchover", scheduleSwitchover(endpoint, from, to, at));
    return { from, to, at };
  }
  const start = Date.now();
  const after = await handOver(cluster, { from, to, via, witness });
  const { timeline } = after.members.find(({ name }) => name === to) ?? {};
  return { from, to, timeline, seconds: (Date.now() - start) / 1000 };
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
