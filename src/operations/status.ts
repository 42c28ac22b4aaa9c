import { dcsOf, type DcsVoters } from "../dcs/dcs";
import {
  standaloneProbe,
  type Standalone,
  type StandaloneServer,
} from "../migration/facts/standalone";
import type { Host, Probe } from "../host/host";
import type { BackupStatusPlan } from "./backup-status";
import { judge, judgeAlone, type Health } from "./health";
import type { RoleAnswers, RoleStates } from "./roles/roles";
import { ROLES_HEALTH, statesOf } from "./roles/roles";

export type { MemberState } from "./member-views";
export type { DcsAgentState, DcsState } from "./roles/dcs";
export type { BalancerState } from "./roles/haproxy";

/** A server that a migration was rolled back to. */
export interface StandaloneState extends Pick<StandaloneServer, "condition" | "state"> {
  readonly host: string;
  readonly port: number;
}

/** A cluster as it is now. Hosts that do not answer are listed, never left out. */
export interface ClusterStatus extends RoleStates {
  readonly cluster: string;
  /** When it was put together: `2026-11-21T22:38:16.123Z`. */
  readonly at: string;
  readonly health: Health;
  readonly healthy: boolean;
  /** The server that a migration was rolled back to; there is nothing else of the cluster then. */
  readonly standalone?: StandaloneState;
  /** Why it is not healthy, one sentence each. */
  readonly problems: readonly string[];
}

/** What the status is asked about. */
export interface StatusPlan {
  readonly name: string;
  readonly patroni: {
    readonly members: { readonly [host: string]: string };
    readonly port: number;
    readonly synchronous: { readonly role: string; readonly count: number } | null;
  };
  readonly dcs: DcsVoters;
  /** The one that the cluster comes from, as long as the stack names it. */
  readonly former?: DcsVoters;
  /** Those that pgherd deploys, the cluster's first; without access where they ask nobody who he is. */
  readonly ownDcs: readonly {
    readonly kind: DcsVoters["kind"];
    readonly access?: { readonly agents: readonly string[] };
  }[];
  readonly entryPoint?: {
    readonly hosts: readonly string[];
    readonly vips: readonly string[];
    readonly statsPort: number;
  };
  readonly backup?: BackupStatusPlan;
  /** Where a migration is rolled back, this server is all that there is. */
  readonly standalone?: Standalone;
  /** The hosts with rules of pgherd's. */
  readonly firewalls: readonly { readonly host: string }[];
}

/** What one host said, to all questions that its parts in the cluster raise. */
export interface HostAnswer extends RoleAnswers {
  readonly host: string;
  /** Why it said nothing. */
  readonly problem?: string;
  /** Of the server that a migration was rolled back to. */
  readonly standalone?: StandaloneServer;
}

/** The hosts that have something to say, each once. */
export function hostsToAsk(plan: StatusPlan): string[] {
  if (plan.standalone) return [plan.standalone.host];
  return [...new Set(ROLES_HEALTH.flatMap(({ hosts }) => hosts(plan)))];
}

/** Asks one host everything, in one round trip. Never fails: that it does not answer is an answer. */
export async function askHost(plan: StatusPlan, name: string, host: Host): Promise<HostAnswer> {
  try {
    if (plan.standalone) {
      return { host: name, standalone: await host.observe(standaloneProbe(plan.standalone)) };
    }
    const questions = ROLES_HEALTH.flatMap((role) => Object.entries(role.questions(plan, name)));
    const answers = await Promise.all(
      questions.map(async ([part, probe]: [string, Probe<unknown>]) => [
        part,
        await host.observe(probe),
      ]),
    );
    return { host: name, ...(Object.fromEntries(answers) as RoleAnswers) };
  } catch (error) {
    return { host: name, problem: (error as Error).message.split("\n")[0] ?? "" };
  }
}

/** Asks all hosts of a cluster at once. */
export async function observeStatus(
  plan: StatusPlan,
  host: (name: string) => Host,
): Promise<ClusterStatus> {
  const answers = await Promise.all(
    hostsToAsk(plan).map((name) => askHost(plan, name, host(name))),
  );
  return assembleStatus(plan, answers, new Date());
}

/** The cluster as these answers show it. */
export function assembleStatus(
  plan: StatusPlan,
  given: readonly HostAnswer[],
  at: Date,
): ClusterStatus {
  if (plan.standalone) return statusAlone(plan, plan.standalone, given, at);
  const answers = ofThisCluster(plan, given);
  const seen = { cluster: plan.name, at: at.toISOString(), ...statesOf(plan, answers) };
  const { health, problems } = judge(plan, answers, seen);
  return { ...seen, health, healthy: health === "healthy", problems };
}

/** What there is once a migration is rolled back: one server, which is asked no more than whether it serves. */
function statusAlone(
  { name: cluster, dcs }: StatusPlan,
  { host, port }: Standalone,
  [answer]: readonly HostAnswer[],
  at: Date,
): ClusterStatus {
  const seen = answer?.standalone ?? {
    ...{ condition: "unknown" as const, state: "not known", takesWrites: false },
    problems: answer?.problem === undefined ? [] : [answer.problem],
  };
  const { condition, state, problems } = seen;
  const health = judgeAlone(seen);
  return {
    ...{ cluster, at: at.toISOString(), health, healthy: health === "healthy", paused: false },
    ...{ members: [], dcs: { kind: dcsOf(dcs).kind, members: [] }, vips: [], loadBalancers: [] },
    standalone: { host, port, condition, state },
    problems,
  };
}

/**
 * The answers, unless they are another cluster's: a stack may name the hosts of another one. What those say is then nothing
 * of this cluster, the load balancers' included.
 */
function ofThisCluster(
  { name }: Pick<StatusPlan, "name">,
  answers: readonly HostAnswer[],
): readonly HostAnswer[] {
  const strangers = answers.flatMap(({ host, member }) =>
    member?.scope === undefined || member.scope === name ? [] : [{ host, scope: member.scope }],
  );
  const [first] = strangers;
  if (!first) return answers;
  const problem =
    `${first.host}: expected a member of the cluster ${name}, found one of the cluster ${first.scope}. ` +
    "Is it the right stack (--stack)?";
  return answers.map(({ host }) => ({ host, problem }));
}
