import {
  type AgentCondition,
  dcsOf,
  type DcsKind,
  type DcsMember,
  type DcsVoters,
} from "../../dcs/dcs";
import type { Probe } from "../../host/host";
import { DCS_ROLES } from "../../roles/dcs";
import type { HostAnswer, StatusPlan } from "../status";
import { sizeOf } from "../words";
import { answerOf, isAsked, type Problem, type RoleHealth } from "./role-health";

export interface DcsAnswer {
  readonly dcs?: DcsMember;
  /** Of a host that does not vote, and asks by an agent of its own. */
  readonly dcsAgent?: AgentCondition;
  /** Of the one that the cluster comes from. */
  readonly formerDcs?: DcsMember;
}

/** A member of the DCS. */
export interface DcsState extends DcsMember {
  readonly host: string;
  /** Whether its host could not be asked: then nothing is known of it. */
  readonly unknown?: true;
}

/** The agent by which a host that does not vote asks the DCS. */
export interface DcsAgentState {
  readonly host: string;
  /** `unknown` where its host could not be asked. */
  readonly condition: AgentCondition | "unknown";
}

/** The DCS, which says who leads. */
interface DcsStatus {
  readonly kind: DcsKind;
  /** Somebody else runs it: its members here are the cluster's, and healthy is who gets an answer from it. */
  readonly existing?: true;
  /** The kind of the one that the stack moves the cluster to, as long as that one answers nobody. */
  readonly movesTo?: DcsKind;
  readonly members: readonly DcsState[];
  /** Only where there are any. */
  readonly agents?: readonly DcsAgentState[];
}

export interface DcsSection {
  readonly dcs: DcsStatus;
}

/** The DCS, whatever its kind is. */
export const dcsHealth: RoleHealth<DcsAnswer, DcsSection> = {
  roles: DCS_ROLES,
  hosts: ({ dcs, former, patroni, ownDcs }) => [
    ...askedOf(dcs, patroni),
    ...agentsOf({ dcs, ownDcs }),
    ...(former ? askedOf(former, patroni) : []),
  ],
  questions: ({ dcs, former, patroni, ownDcs }, host) => {
    const own = memberProbe(dcs, patroni, host);
    const old = former && memberProbe(former, patroni, host);
    const { agentProbe } = dcsOf(dcs);
    return {
      ...(own && { dcs: own }),
      ...(agentProbe && agentsOf({ dcs, ownDcs }).includes(host) && { dcsAgent: agentProbe() }),
      ...(old && { formerDcs: old }),
    };
  },
  state: (plan, answers) => {
    const { dcs, former, patroni } = plan;
    const answered = (part: "dcs" | "formerDcs") => answers.some((one) => one[part]?.healthy);
    // Before it has moved there may be nobody yet where it goes.
    if (former && !answered("dcs") && answered("formerDcs")) {
      const { kind, ...rest } = stateOf(former, patroni, answers, "formerDcs");
      return { dcs: { kind, movesTo: dcsOf(dcs).kind, ...rest } };
    }
    const agents = agentsOf(plan).map((host) => ({
      host,
      condition: answerOf(answers, host)?.dcsAgent ?? ("unknown" as const),
    }));
    const seen = stateOf(dcs, patroni, answers, "dcs");
    return { dcs: agents.length > 0 ? { ...seen, agents } : seen };
  },

  hostProblems: (_plan, _answers, { dcs }) => {
    const problems: Problem[] = dcs.members
      .filter(({ healthy }) => !healthy)
      .map(({ host }) => ({
        host,
        problem: dcs.existing
          ? `${host}: ${dcs.kind} does not answer it at any of cluster.dcs.endpoints.`
          : `${host}: ${dcs.kind} is not healthy.`,
      }));
    for (const alarm of new Set(dcs.members.flatMap(({ alarms }) => alarms))) {
      problems.push({ problem: alarmProblem(alarm, dcs) });
    }
    for (const { host, condition } of dcs.agents ?? []) {
      const wrong = agentProblem(condition, dcs);
      if (wrong) problems.push({ host, problem: `${host}: ${wrong}` });
    }
    return hasMajority(dcs) === "no"
      ? [
          ...problems,
          { problem: `The DCS (${dcs.kind}) has no majority: nobody can be elected to lead.` },
        ]
      : problems;
  },
};

/** Hosts that ask by an agent and do not vote: those who vote tell of themselves. */
function agentsOf({ dcs, ownDcs }: Pick<StatusPlan, "dcs" | "ownDcs">): readonly string[] {
  const own = dcs.existing ? undefined : ownDcs.find(({ kind }) => kind === dcs.kind);
  return (own?.access?.agents ?? []).filter((host) => !Object.hasOwn(dcs.members, host));
}

/** What is wrong with an agent by itself: that nobody leads those who vote is told once. */
function agentProblem(condition: DcsAgentState["condition"], dcs: DcsStatus): string | undefined {
  const { kind } = dcs;
  switch (condition) {
    case "away":
      return `${kind}'s agent does not answer, so Patroni there cannot ask the DCS, and can neither be elected nor lead for long by itself.`;
    case "refused":
      return `${kind} refuses the token by which its agent is asked. pulumi up gives it its rights again.`;
    case "cut off":
      return hasMajority(dcs) === "no"
        ? undefined
        : `${kind}'s agent reaches no server that leads, so Patroni there cannot ask the DCS.`;
    case "serving":
    case "unknown":
      return undefined;
  }
}

/** Whether the DCS can decide anything. Who is healthy takes part in a majority, also with some that were not asked. */
export function hasMajority({ members, existing }: DcsStatus): "yes" | "no" | "unknown" {
  const healthy = members.filter((one) => one.healthy).length;
  const ill = members.filter((one) => !one.healthy && !one.unknown).length;
  // Who gets an answer there has one of a majority's; of those who do not, each may be cut off by himself.
  if (existing) return healthy > 0 ? "yes" : ill > 0 ? "no" : "unknown";
  if (ill * 2 >= members.length && members.length > 0) return "no";
  return healthy > 0 ? "yes" : "unknown";
}

type Members = Pick<StatusPlan["patroni"], "members">;

/** The hosts that tell of it. */
function askedOf(dcs: DcsVoters, patroni: Members): string[] {
  return Object.keys(dcs.existing ? patroni.members : dcs.members);
}

/** What such a host is asked; nothing of the others. */
function memberProbe(dcs: DcsVoters, patroni: Members, host: string): Probe<DcsMember> | undefined {
  if (dcs.existing) {
    return Object.hasOwn(patroni.members, host) ? answeredProbe(dcs) : undefined;
  }
  const url = dcs.members[host];
  return url === undefined ? undefined : dcsOf(dcs).memberProbe(url);
}

function stateOf(
  dcs: DcsVoters,
  patroni: Members,
  answers: readonly HostAnswer[],
  part: "dcs" | "formerDcs",
): DcsStatus {
  return {
    kind: dcsOf(dcs).kind,
    ...(dcs.existing && { existing: true as const }),
    members: askedOf(dcs, patroni).map((host) => {
      const answer = answerOf(answers, host);
      return {
        host,
        ...(answer?.[part] ?? {
          ...{ healthy: false, leader: false, alarms: [] },
          ...(isAsked(answer) ? {} : { unknown: true as const }),
        }),
      };
    }),
  };
}

/** Whether the host gets an answer from any of the endpoints. */
function answeredProbe(dcs: DcsVoters): Probe<DcsMember> {
  const { script, parse } = dcsOf(dcs).healthyProbe();
  return {
    script,
    parse: (output) => ({ healthy: parse(output).length > 0, leader: false, alarms: [] }),
  };
}

/** Why nobody can be elected to lead, as far as the DCS goes; nothing if somebody can. */
export function electionProblem(dcs: DcsStatus): string | undefined {
  const majority = hasMajority(dcs);
  if (majority === "yes") return undefined;
  return majority === "no"
    ? `the DCS (${dcs.kind}) has no majority`
    : `it is not known whether the DCS (${dcs.kind}) has a majority, since none of its members could be asked`;
}

/** NOSPACE: https://etcd.io/docs/v3.5/op-guide/maintenance/#space-quota */
function alarmProblem(alarm: string, { kind, members }: DcsStatus): string {
  if (alarm !== "NOSPACE") {
    const { unit, upkeep } = dcsOf({ kind, members: {} });
    const look = [upkeep?.listAlarmsByHand, `journalctl -u ${unit} on its hosts`];
    return `${kind} has raised the alarm ${alarm}: ${look.filter(Boolean).join(", and ")}.`;
  }
  const [largest] = [...members].sort((a, b) => (b.databaseBytes ?? 0) - (a.databaseBytes ?? 0));
  const { host = "", databaseBytes = 0, usedBytes = 0, quotaBytes = 0 } = largest ?? {};
  return (
    `The DCS (${kind}) is full and takes no writes (alarm NOSPACE): nobody can be elected to lead, and no setting be changed. ` +
    `Its database on ${host} has ${sizeOf(databaseBytes)}, ${sizeOf(usedBytes)} of it in use; dcs.quota is ${sizeOf(quotaBytes)}. ` +
    "`pgherd dcs defrag` gives back what is not in use and takes the alarm back; raise the quota if that is not enough."
  );
}
