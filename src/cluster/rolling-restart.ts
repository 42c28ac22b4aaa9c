// Which member restarts next when settings wait for a restart of PostgreSQL. Pure: decided anew from what is there at
// each step, so that a failover in between, or a run that was killed, changes nothing about the rules.

import { follows } from "../facts/member-state";
import { isSynchronous } from "../facts/patroni";
import { chooseLeader, nobodyBecause, type Candidate, type LeadRules } from "./candidates";

/** A member as far as its restart goes. */
export interface RollingMember extends Candidate {
  /** Whether something waits for a restart of its PostgreSQL. */
  readonly isPending: boolean;
}

export interface RollingView {
  readonly members: readonly RollingMember[];
  readonly paused: boolean;
  /** Who may take over; a replica that is further behind than these allow ends the roll as well. */
  readonly rules: LeadRules;
  /** Whether the leader has one of the ordered settings higher than wanted: then it must restart before the replicas. */
  readonly leaderFirst: boolean;
  /** Whether the leader must stay where it is, because clients connect to it alone: then it restarts in place. */
  readonly leaderStays: boolean;
  /** Whether one of the ordered settings becomes higher as well: then every replica must have it before the leader. */
  readonly replicasFirst: boolean;
  /** Whether settings besides the lower ones wait: a replica tries them before the leader does. */
  readonly tryFirst: boolean;
}

export type RollingStep =
  | { readonly kind: "restart"; readonly member: string }
  | { readonly kind: "switchover"; readonly from: string; readonly to: string }
  | { readonly kind: "done" }
  /** The cluster is paused: these members wait for a restart, and go on doing so. */
  | { readonly kind: "held"; readonly members: readonly string[] }
  | { readonly kind: "stop"; readonly reason: string };

/**
 * The next step: replicas one at a time, those that confirm no commits first; then the leader, by a switchover to a
 * replica that has restarted. A leader whose settings become lower restarts in place instead, and the replicas follow: what
 * they restart with before it is still the higher value (patroni/postgresql/config.py, effective_configuration), so that this
 * costs a second restart, and no more of them go first than must.
 * @param restarts how often each member has been restarted by this roll.
 */
export function nextStep(view: RollingView, restarts: ReadonlyMap<string, number>): RollingStep {
  const leader = view.members.find(isLeader);
  if (!leader) return stop("there is no leader");
  const waiting = view.members.filter(({ isPending }) => isPending).map(({ name }) => name);
  if (view.paused)
    return waiting.length > 0 ? { kind: "held", members: waiting } : { kind: "done" };
  // Unlike a switchover, a restart takes one more away: all have to stream.
  const down = view.members.filter(({ state }) => !follows(state));
  if (down.length > 0)
    return stop(
      `${down.map(({ name }) => name).join(", ")} ${down.length > 1 ? "are" : "is"} not up: each restart takes one more away`,
    );
  const { maximumLag } = view.rules;
  const late = view.members.find((member) => !isLeader(member) && lag(member) > maximumLag);
  if (late) return stop(`${late.name} is ${describeLag(late)} behind the leader`);
  if (waiting.length === 0) return { kind: "done" };

  const times = (member: RollingMember) => restarts.get(member.name) ?? 0;
  const replicas = view.members.filter((member) => !isLeader(member) && member.isPending);
  // One that is still pending after its restart waits for the leader's lower value.
  const due = replicas.filter((member) => times(member) === 0 || !view.leaderFirst);
  const next = due.sort((a, b) => Number(isSynchronous(a)) - Number(isSynchronous(b)))[0];
  const tries = view.tryFirst && !view.members.some((member) => !isLeader(member) && times(member));
  if (next && (!view.leaderFirst || view.replicasFirst || tries)) {
    return times(next) > LIMIT
      ? stop(`${next.name} still waits for a restart after ${times(next)} of them`)
      : { kind: "restart", member: next.name };
  }
  if (!leader.isPending) return { kind: "done" };
  if (view.leaderFirst || view.leaderStays || view.members.length === 1) {
    return times(leader) > LIMIT
      ? stop(`${leader.name} still waits for a restart after ${times(leader)} of them`)
      : { kind: "restart", member: leader.name };
  }
  const choice = chooseLeader(view.rules, "handover", view.members);
  const [candidate] = choice.able;
  if (!candidate) return stop(`no replica may take over: ${nobodyBecause(choice)}`);
  return { kind: "switchover", from: leader.name, to: candidate.name };
}

/** A restart that does not take the settings over twice will not do so a third time. */
const LIMIT = 2;

function stop(reason: string): RollingStep {
  return { kind: "stop", reason };
}

function isLeader({ role }: RollingMember): boolean {
  return role === "leader";
}

function lag({ lagBytes }: RollingMember): number {
  return lagBytes ?? Infinity;
}

function describeLag({ lagBytes }: RollingMember): string {
  return lagBytes === undefined ? "an unknown number of bytes" : `${lagBytes} bytes`;
}
