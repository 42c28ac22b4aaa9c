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

/** Why a member cannot lead; nothing if it can. */
export function unfit(
  { neverLead }: Pick<LeadRules, "neverLead">,
  member: Candidate,
): string | undefined {
  const { name, role, state } = member;
  if (role === "leader") return `${name} leads already.`;
  if (neverLead.includes(name)) {
    return `${name} may never lead: its tags in the stack say so (nofailover, failover_priority 0).`;
  }
  if (conditionOf(state) === "unknown")
    return `it is not known whether ${name} could lead (${state}).`;
  if (!isUp(member)) return `${name} is not up (${state}).`;
  return undefined;
}

/** Why a leader that runs cannot hand its lead to this member, one sentence each; it is for Patroni to do it without loss. */
export function unfitToTakeOver(
  rules: LeadRules,
  member: Candidate,
  others: readonly Candidate[],
): string[] {
  const problem = unfit(rules, member);
  if (problem !== undefined) return [problem];
  const problems: string[] = [];
  if (rules.synchronous && !isSynchronous(member)) {
    const would = others.filter(isSynchronous).map(({ name }) => name);
    problems.push(
      `${member.name} confirms no commits (${standing(member)}), so Patroni would not hand the lead to it. ` +
        (would.length > 0 ? `Take ${would.join(" or ")}.` : "Wait until a replica does."),
    );
  }
  if ((member.lagBytes ?? Infinity) > rules.maximumLag) {
    problems.push(
      `${member.name} is too far behind (${standing(member)}; ${rules.maximumLag} B are allowed).`,
    );
  }
  return problems;
}

/**
 * Who would best lead next, whether it is asked for or falls to somebody in a rolling restart: synchronous replicas first,
 * then those that can be reached from here, then the one that is least behind.
 */
export function bestCandidate<T extends Candidate>(
  rules: Pick<LeadRules, "neverLead">,
  members: readonly T[],
): T | undefined {
  return members
    .filter((member) => unfit(rules, member) === undefined)
    .sort((a, b) => byMerit(meritsOf(a), meritsOf(b)))[0];
}

/** What decides between members that all can lead. */
export interface Merits extends Pick<Candidate, "name" | "lagBytes" | "unasked"> {
  /** Whether it confirms commits, so that none is lost with it. */
  readonly isSynchronous: boolean;
}

function meritsOf(member: Candidate): Merits {
  return { ...member, isSynchronous: isSynchronous(member) };
}

/** The best one first. */
export function byMerit(a: Merits, b: Merits): number {
  return (
    Number(b.isSynchronous) - Number(a.isSynchronous) ||
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
