import type { Probe } from "../../host/host";
import type { RoleName } from "../../roles/roles";
import type { ClusterStatus, HostAnswer, StatusPlan } from "../status";

/** A cluster as its roles show it, before anybody judges it. */
export type Seen = Omit<ClusterStatus, "health" | "healthy" | "problems">;

/** What is wrong, in a sentence. */
export interface Problem {
  /** Where it is; what an unreachable host causes needs no words of its own. */
  readonly host?: string;
  readonly problem: string;
}

/** A question for each part of an answer that a host has to give. */
type Questions<Answer> = { readonly [Part in keyof Answer]: Probe<Answer[Part]> };

/**
 * What a role's daemons are asked for their health, what that shows, and what is wrong by it. Data and pure functions: `askHost`
 * asks, `judge` puts together.
 */
export interface RoleHealth<Answer = Partial<HostAnswer>, State = object> {
  /** Which of them; that of each kind of DCS has the same. The firewall is no role, and stands on hosts of all. */
  readonly roles: readonly (RoleName | "firewall")[];
  /** The hosts that have it, in the order in which people are told of them. */
  readonly hosts: (plan: StatusPlan) => readonly string[];
  /** What a host is asked on its behalf; nothing of those that have nothing to say. */
  readonly questions: (plan: StatusPlan, host: string) => Questions<Answer>;
  /** Its part of the status. */
  readonly state: (plan: StatusPlan, answers: readonly HostAnswer[]) => State;
  /** What is wrong with single hosts of it. */
  readonly hostProblems?: (
    plan: StatusPlan,
    answers: readonly HostAnswer[],
    seen: Seen,
  ) => readonly Problem[];
  /** What is wrong with all of it together. */
  readonly clusterProblems?: (
    plan: StatusPlan,
    answers: readonly HostAnswer[],
    seen: Seen,
  ) => readonly string[];
}

/** The answer of a host. */
export function answerOf(answers: readonly HostAnswer[], name: string): HostAnswer | undefined {
  return answers.find(({ host }) => host === name);
}

/** Whether a host could be asked. */
export function isAsked(answer: HostAnswer | undefined): boolean {
  return answer !== undefined && answer.problem === undefined;
}
