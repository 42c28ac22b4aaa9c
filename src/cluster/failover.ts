import { isSynchronous } from "../facts/patroni";
import { isUp, leaderOf } from "../facts/member-state";
import { electionProblem } from "../operations/roles/dcs";
import { failOver } from "../operations/patroni";
import { followsProblem } from "../operations/writes";
import type { ClusterStatus } from "../operations/status";
import {
  chooseLeader,
  leadRules,
  nobodyBecause,
  seenByOthers,
  standing,
  whyNot,
} from "./candidates";
import {
  insist,
  observe,
  requireMember,
  spokesman,
  type Cluster,
  type Intent,
  type OperatorPlan,
} from "./cluster";
import { writesProblem } from "./moving";
import { untilSeen } from "./until-seen";

export interface FailoverRequest {
  /** Who is to lead. @default the synchronous replica, else the one that is least behind */
  readonly to?: string;
  /** Accept that commits may be lost which the new leader has not received. @default false */
  readonly acceptDataLoss?: boolean;
}

interface FailoverIntent extends Intent {
  readonly to?: string;
  /** The member whose Patroni is asked for it. */
  readonly via?: string;
}

export interface FailoverOutcome {
  readonly to: string;
  readonly seconds: number;
}

const FAILOVER_SECONDS = 300;

/** Who is made the leader, what that costs, and what speaks against it. */
export function planFailover(
  plan: OperatorPlan,
  status: ClusterStatus,
  { to }: FailoverRequest,
): FailoverIntent {
  const leader = leaderOf(status);
  const refusals: string[] = [];
  if (leader !== undefined) {
    refusals.push(
      `${leader} leads and runs: \`pgherd switchover\` hands its lead over without loss.`,
    );
  }
  const follows = followsProblem(status);
  if (follows !== undefined) return { refusals: [follows], objections: [], effects: [] };
  const election = electionProblem(status.dcs);
  if (election) refusals.push(`${election}: nobody can be made the leader before it has one.`);
  const choice = chooseLeader(leadRules(plan.patroni), "failover", status.members);
  const candidate =
    to === undefined ? choice.able[0] : status.members.find((member) => member.name === to);
  if (!candidate) {
    const names = status.members.map(({ name }) => name).join(", ");
    refusals.push(
      to === undefined
        ? `No member may lead: ${nobodyBecause(choice)}.`
        : `--to: expected one of ${names}, got "${to}".`,
    );
    return { refusals, objections: [], effects: [] };
  }
  refusals.push(...whyNot(choice, candidate.name));
  const via = spokesman(status, candidate.name);
  if (via === undefined) refusals.push("No member's Patroni answers that could be asked for it.");
  const risk = `Commits that ${candidate.name} has not received are lost: it did not have to confirm them (${standing(candidate)}).`;
  return {
    to: candidate.name,
    via,
    refusals,
    objections: isSynchronous(candidate) ? [] : [risk],
    effects: [
      `${candidate.name} (${standing(candidate)}) is made the leader; it begins a new timeline.`,
      ...seenByOthers(candidate),
      "Members that have more than it are set back to where it is (pg_rewind) and follow it.",
      ...(status.paused
        ? []
        : [
            "Patroni does this by itself once the old leader's lease has run out: it may be quicker to wait.",
          ]),
    ],
  };
}

export async function considerFailover(
  cluster: Cluster,
  request: FailoverRequest,
): Promise<FailoverIntent> {
  requireMember(cluster, request.to, "--to");
  const status = await observe(cluster);
  const intent = planFailover(cluster.plan, status, request);
  // What leads is told of already.
  if (leaderOf(status) !== undefined) return intent;
  return { ...intent, refusals: [...intent.refusals, ...(await writesProblem(cluster))] };
}

/** Makes a member lead where none does. @throws Refusal if a check speaks against it. */
export async function performFailover(
  cluster: Cluster,
  request: FailoverRequest,
): Promise<FailoverOutcome> {
  const intent = await considerFailover(cluster, request);
  insist("The failover", intent, request.acceptDataLoss ?? false, "--accept-data-loss");
  const { to = "", via = "" } = intent;
  const start = Date.now();
  cluster.progress(`making ${to} the leader`);
  const endpoint = cluster.plan.patroni.members[via] ?? "";
  await cluster.host(via).change("failing over", failOver(endpoint, to), {
    timeoutSeconds: FAILOVER_SECONDS,
  });
  await untilSeen(cluster, `${to} to lead`, FAILOVER_SECONDS, (status) => {
    const found = status.members.find(({ name }) => name === to);
    return leaderOf(status) === to && found !== undefined && isUp(found);
  });
  return { to, seconds: (Date.now() - start) / 1000 };
}
