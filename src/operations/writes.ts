import { leaderOf, standbyLeaderOf } from "../facts/member-state";
import type { ClusterStatus, StatusPlan } from "./status";

/** Whether clients can write, and why not or why that is not known. */
interface Writes {
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

/** Why a cluster that follows another server takes no writes, and what changes that; nothing where none does. */
export function followsProblem(seen: Pick<Seen, "members">): string | undefined {
  const name = standbyLeaderOf(seen);
  return (
    name &&
    `${name} leads a standby cluster: it follows the server that is migrated, and takes no writes before \`until: cutOver\`.`
  );
}

function withoutLeader(balanced: boolean, { members, loadBalancers }: Seen): Writes {
  const follows = followsProblem({ members });
  if (follows !== undefined) return { possible: "no", problem: follows };
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
