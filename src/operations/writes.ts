import { leaderOf, standbyLeaderOf } from "../facts/member-state";
import type { ClusterStatus, HostAnswer, StatusPlan } from "./status";

/** Whether clients can write, and why not or why that is not known. */
interface Writes {
  readonly possible: "yes" | "no" | "unknown";
  readonly problem?: string;
}

type Seen = Pick<ClusterStatus, "members" | "loadBalancers">;

/**
 * Whether somebody leads, and clients are led there. What could not be asked is never taken for broken.
 * @param answers what the servers themselves say.
 */
export function judgeWrites(
  { entryPoint }: Pick<StatusPlan, "entryPoint">,
  seen: Seen,
  answers: readonly Pick<HostAnswer, "host" | "streams">[],
): Writes {
  const leader = leaderOf(seen);
  if (leader === undefined) {
    const balanced = entryPoint !== undefined;
    return (
      followsOnly(seen) ?? stillWritten(balanced, seen, answers) ?? withoutLeader(balanced, seen)
    );
  }
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

function followsOnly(seen: Seen): Writes | undefined {
  const problem = followsProblem(seen);
  return problem === undefined ? undefined : { possible: "no", problem };
}

/**
 * A primary whose Patroni does not reach the DCS goes on as long as all others answer it (failsafe mode), though its lease there has
 * ended. Clients without balancers look for it themselves.
 */
function stillWritten(
  balanced: boolean,
  { loadBalancers }: Seen,
  answers: readonly Pick<HostAnswer, "host" | "streams">[],
): Writes | undefined {
  const ledTo = (host: string) =>
    loadBalancers.some(({ entrances }) => entrances.primary?.includes(host));
  const writers = answers
    .filter(({ host, streams }) => streams?.writes && (!balanced || ledTo(host)))
    .map(({ host }) => host);
  if (writers.length === 0) return undefined;
  return {
    possible: "yes",
    problem: `Nobody leads in the DCS, though ${writers.join(" and ")} take${writers.length === 1 ? "s" : ""} writes.`,
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
