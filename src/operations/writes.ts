import { leaderOf } from "../facts/member-state";
import type { ClusterStatus, StatusPlan } from "./status";

/** Whether clients can write, and why not or why that is not known. */
export interface Writes {
  readonly possible: "yes" | "no" | "unknown";
  readonly problem?: string;
}

type Seen = Pick<ClusterStatus, "members" | "loadBalancers">;

/** Whether somebody leads, and clients are led there. What could not be asked is never taken for broken. */
export function judgeWrites({ entryPoint }: Pick<StatusPlan, "entryPoint">, seen: Seen): Writes {
  const leader = leaderOf(seen);
  if (leader === undefined) return withoutLeader(entryPoint !== undefined, seen);
  if (!entryPoint) return { possible: "yes" };
  const { loadBalancers } = seen;
  if (loadBalancers.some(({ entrances }) => entrances.primary?.includes(leader))) {
    return { possible: "yes" };
  }
  const unasked = loadBalancers.filter(({ unknown }) => unknown).map(({ host }) => host);
  if (unasked.length === 0) {
    return {
      possible: "no",
      problem: `No load balancer leads to ${leader}: no writes are possible.`,
    };
  }
  return {
    possible: "unknown",
    problem: `It is not known whether clients reach ${leader}: ${unasked.join(" and ")} could not be asked.`,
  };
}

function withoutLeader(balanced: boolean, { members, loadBalancers }: Seen): Writes {
  const unknown = members.filter(({ condition }) => condition === "unknown");
  // A balancer that answers has asked all members who takes writes: nobody does.
  if (unknown.length === 0 || loadBalancers.some(({ answers }) => answers)) {
    return { possible: "no", problem: "No member leads: no writes are possible." };
  }
  const silent = [...unknown.map(({ name }) => name), ...(balanced ? ["the load balancers"] : [])];
  return {
    possible: "unknown",
    problem: `It is not known whether writes are possible: ${silent.join(" and ")} could not be asked.`,
  };
}
