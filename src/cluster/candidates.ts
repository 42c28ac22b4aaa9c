import { conditionOf, isUp } from "../facts/member-state";
import { isSynchronous } from "../facts/patroni";
import type { MemberState } from "../operations/status";

/** What the stack says of who may lead. */
export interface LeadRules {
  /** Members that may never lead. */
  readonly neverLead: readonly string[];
  /** Whether commits wait for synchronous replicas: then only these take over without loss. */
  readonly synchronous: boolean;
  /** Bytes: a replica that is further behind takes over nothing. */
  readonly maximumLag: number;
}

/** What has to be known of a member to tell whether it could lead. */
export type Candidate = Pick<MemberState, "name" | "role" | "state" | "lagBytes" | "unasked">;

/** The rules of a cluster's plan. */
export function leadRules({
  neverLead,
  synchronous,
  rolling,
}: {
  readonly neverLead: readonly string[];
  readonly synchronous: object | null;
  readonly rolling: { readonly maximumLag: number };
}): LeadRules {
  return { neverLead, synchronous: synchronous !== null, maximumLag: rolling.maximumLag };
}

/**
 * How somebody comes to lead. `handover`: a leader that runs hands over, which Patroni does only without loss. `failover`:
 * nobody leads, and an operator may accept that commits are lost: what the next one lacks is no reason against it.
 * What is asked besides (consent to cut a backup, time for a replica to catch up) is for each caller to ask.
 */
export type ChangeOfLead = "handover" | "failover";

/** Who may lead next, and why the others may not. */
export interface Choice<T> {
  /** The best one first. */
  readonly able: readonly T[];
  /** The leader itself is one of them. Reasons are clauses, for messages: `db3 is not up (starting)`. */
  readonly unable: readonly { readonly member: T; readonly reasons: readonly string[] }[];
}

/**
 * Who may lead next: the one rule, whether an operator asks for it or a rolling restart comes to it. Synchronous replicas
 * come first, then those that can be reached from here, then the one that is least behind.
 */
export function chooseLeader<T extends Candidate>(
  rules: LeadRules,
  change: ChangeOfLead,
  members: readonly T[],
): Choice<T> {
  const judged = members.map((member) => ({ member, reasons: unfit(rules, change, member) }));
  const able = judged.filter(({ reasons }) => reasons.length === 0).map(({ member }) => member);
  return {
    able: able.sort(byMerit),
    unable: judged.filter(({ reasons }) => reasons.length > 0),
  };
}

/** Why nobody may lead next, for messages; the leader itself needs no reason. */
export function nobodyBecause<T extends Candidate>({ unable }: Choice<T>): string {
  const others = unable.filter(({ member }) => member.role !== "leader");
  return others.length > 0
    ? others.flatMap(({ reasons }) => reasons).join("; ")
    : "there is no other member";
}

/** Why this member may not lead next, one sentence each, with who may; nothing if it may. */
export function whyNot<T extends Candidate>({ able, unable }: Choice<T>, name: string): string[] {
  const found = unable.find(({ member }) => member.name === name);
  if (!found) return [];
  if (found.member.role === "leader") return found.reasons.map((reason) => `${reason}.`);
  const names = able.map((member) => member.name);
  const instead = names.length > 0 ? ` Take ${names.join(" or ")}.` : "";
  return found.reasons.map((reason) => `${reason}.${instead}`);
}

function unfit(rules: LeadRules, change: ChangeOfLead, member: Candidate): string[] {
  const { name, role, state, lagBytes } = member;
  if (role === "leader") return [`${name} leads already`];
  if (rules.neverLead.includes(name)) {
    return [
      `${name} may never lead: its tags in the stack say so (nofailover, failover_priority 0)`,
    ];
  }
  if (conditionOf(state) === "unknown")
    return [`it is not known whether ${name} could lead (${state})`];
  if (!isUp(member)) return [`${name} is not up (${state})`];
  if (change === "failover") return [];
  const reasons: string[] = [];
  if (rules.synchronous && !isSynchronous(member)) {
    reasons.push(
      `${name} confirms no commits (${standing(member)}), so Patroni would not hand the lead to it`,
    );
  }
  if ((lagBytes ?? Infinity) > rules.maximumLag) {
    reasons.push(
      `${name} is too far behind (${standing(member)}; ${rules.maximumLag} B are allowed)`,
    );
  }
  return reasons;
}

function byMerit(a: Candidate, b: Candidate): number {
  return (
    Number(isSynchronous(b)) - Number(isSynchronous(a)) ||
    Number(a.unasked ?? false) - Number(b.unasked ?? false) ||
    (a.lagBytes ?? Infinity) - (b.lagBytes ?? Infinity) ||
    a.name.localeCompare(b.name)
  );
}

/** How a replica stands, for messages: `sync standby, 0 B behind`. */
export function standing({ role, lagBytes }: Pick<Candidate, "role" | "lagBytes">): string {
  const lag = lagBytes === undefined ? "an unknown distance" : `${lagBytes} B`;
  return `${role.replace("_", " ")}, ${lag} behind`;
}

/** What is to be known of a member that can lead, and that this machine cannot reach. */
export function seenByOthers({ name, seenBy }: MemberState): string[] {
  if (!seenBy) return [];
  return [
    `${name} cannot be reached from here: what is told of it, the others tell. ${seenBy.join(" and ")} ${seenBy.length > 1 ? "reach" : "reaches"} it.`,
  ];
}
