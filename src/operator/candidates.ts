import { isSynchronous } from "../facts/patroni";
import { isUp } from "../operations/health";
import type { ClusterStatus, MemberState } from "../operations/status";
import type { OperatorPlan } from "./cluster";

/** Why a member cannot lead; nothing if it can. */
export function unfit({ patroni }: OperatorPlan, member: MemberState): string | undefined {
  if (member.role === "leader") return `${member.name} leads already.`;
  if (patroni.neverLead.includes(member.name)) {
    return `${member.name} may never lead: its tags in the stack say so (nofailover, failover_priority 0).`;
  }
  if (member.condition === "unknown")
    return `it is not known whether ${member.name} could lead (${member.state}).`;
  if (!isUp(member)) return `${member.name} is not up (${member.state}).`;
  return undefined;
}

/** What is to be known of a member that can lead, and that this machine cannot reach. */
export function seenByOthers({ name, seenBy }: MemberState): string[] {
  if (!seenBy) return [];
  return [
    `${name} cannot be reached from here: what is told of it, the others tell. ${seenBy.join(" and ")} ${seenBy.length > 1 ? "reach" : "reaches"} it.`,
  ];
}

/**
 * Who would best lead next: synchronous replicas first, then those that can be reached from here, then the one that is
 * least behind.
 */
export function bestCandidate(plan: OperatorPlan, status: ClusterStatus): MemberState | undefined {
  return status.members
    .filter((member) => unfit(plan, member) === undefined)
    .sort(
      (a, b) =>
        Number(isSynchronous(b)) - Number(isSynchronous(a)) ||
        Number(a.unasked ?? false) - Number(b.unasked ?? false) ||
        (a.lagBytes ?? Infinity) - (b.lagBytes ?? Infinity) ||
        a.name.localeCompare(b.name),
    )[0];
}

/** How a replica stands, for messages: `sync standby, 0 B behind`. */
export function standing({ role, lagBytes }: MemberState): string {
  const lag = lagBytes === undefined ? "an unknown distance" : `${lagBytes} B`;
  return `${role.replace("_", " ")}, ${lag} behind`;
}
