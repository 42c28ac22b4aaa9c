import type { StandaloneServer } from "../migration/facts/standalone";
import { oneCauseOnce } from "./one-cause";
import type { Seen } from "./roles/role-health";
import { ROLES_HEALTH } from "./roles/roles";
import type { HostAnswer, StatusPlan } from "./status";
import { judgeWrites } from "./writes";

/**
 * `healthy`: all is as the stack says. `degraded`: it takes writes, but something is missing. `down`: it takes no writes.
 * `unknown`: what answered does not tell whether it takes writes.
 */
export type Health = "healthy" | "degraded" | "down" | "unknown";

interface Judgement {
  readonly health: Health;
  /** Why it is not healthy, one sentence each. */
  readonly problems: readonly string[];
}

/** Whether a cluster does what its stack says. */
export function judge(plan: StatusPlan, answers: readonly HostAnswer[], seen: Seen): Judgement {
  if (answers.every(({ problem }) => problem !== undefined)) {
    return { health: "unknown", problems: unansweredOf(answers) };
  }
  const writes = judgeWrites(plan, seen, answers);
  const unreachable = new Set(answers.filter(({ problem }) => problem).map(({ host }) => host));
  const problems = [
    ...(writes.problem === undefined ? [] : [writes.problem]),
    ...unansweredOf(answers),
    ...seenOnlyByOthers(seen),
    ...ROLES_HEALTH.flatMap(({ hostProblems }) => hostProblems?.(plan, answers, seen) ?? [])
      .filter(({ host }) => host === undefined || !unreachable.has(host))
      .map(({ problem }) => problem),
    ...ROLES_HEALTH.flatMap(({ clusterProblems }) => clusterProblems?.(plan, answers, seen) ?? []),
  ];
  if (writes.possible === "no") return { health: "down", problems };
  if (writes.possible === "unknown") return { health: "unknown", problems };
  return { health: problems.length > 0 ? "degraded" : "healthy", problems };
}

/** Whether a server that stands alone does what is left of the stack: that it takes writes. */
export function judgeAlone({ condition, takesWrites, problems }: StandaloneServer): Health {
  if (condition === "unknown") return "unknown";
  if (condition !== "serving" || !takesWrites) return "down";
  return problems.length > 0 ? "degraded" : "healthy";
}

/** What the others show of a member whose host could not be asked. */
function seenOnlyByOthers({ members }: Seen): string[] {
  return members.flatMap(({ name, role, seenBy }) => {
    if (!seenBy) return [];
    const by = `${seenBy.join(" and ")} lead${seenBy.length === 1 ? "s" : ""}`;
    return role === "leader"
      ? `${name} leads all the same: ${by} writes to it.`
      : `${name} takes reads all the same: ${by} them to it.`;
  });
}

/** Why hosts do not answer. */
function unansweredOf(answers: readonly HostAnswer[]): string[] {
  const problems = answers.flatMap(({ problem }) => problem ?? []);
  return oneCauseOnce(
    problems,
    answers.map(({ host }) => host),
  );
}
