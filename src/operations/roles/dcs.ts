import { dcsOf, type DcsKind, type DcsMember } from "../../dcs/dcs";
import { DCS_ROLES } from "../../roles/dcs";
import { sizeOf } from "../words";
import { answerOf, isAsked, type Problem, type RoleHealth } from "./role-health";

export interface DcsAnswer {
  readonly dcs?: DcsMember;
}

/** A member of the DCS. */
export interface DcsState extends DcsMember {
  readonly host: string;
  /** Whether its host could not be asked: then nothing is known of it. */
  readonly unknown?: true;
}

/** The DCS, which says who leads. */
interface DcsStatus {
  readonly kind: DcsKind;
  readonly members: readonly DcsState[];
}

export interface DcsSection {
  readonly dcs: DcsStatus;
}

/** The DCS, whatever its kind is. */
export const dcsHealth: RoleHealth<DcsAnswer, DcsSection> = {
  roles: DCS_ROLES,
  hosts: ({ dcs }) => Object.keys(dcs.members),
  questions: ({ dcs }, host) => {
    const url = dcs.members[host];
    return url === undefined ? {} : { dcs: dcsOf(dcs).memberProbe(url) };
  },
  state: ({ dcs }, answers) => ({
    dcs: {
      kind: dcsOf(dcs).kind,
      members: Object.keys(dcs.members).map((host) => {
        const answer = answerOf(answers, host);
        return {
          host,
          ...(answer?.dcs ?? {
            ...{ healthy: false, leader: false, alarms: [] },
            ...(isAsked(answer) ? {} : { unknown: true as const }),
          }),
        };
      }),
    },
  }),

  hostProblems: (_plan, _answers, { dcs }) => {
    const problems: Problem[] = dcs.members
      .filter(({ healthy }) => !healthy)
      .map(({ host }) => ({ host, problem: `${host}: ${dcs.kind} is not healthy.` }));
    for (const alarm of new Set(dcs.members.flatMap(({ alarms }) => alarms))) {
      problems.push({ problem: alarmProblem(alarm, dcs) });
    }
    return hasMajority(dcs) === "no"
      ? [
          ...problems,
          { problem: `The DCS (${dcs.kind}) has no majority: nobody can be elected to lead.` },
        ]
      : problems;
  },
};

/** Whether the DCS can decide anything. Who is healthy takes part in a majority, also with some that were not asked. */
export function hasMajority({ members }: DcsStatus): "yes" | "no" | "unknown" {
  const healthy = members.filter((one) => one.healthy).length;
  const ill = members.filter((one) => !one.healthy && !one.unknown).length;
  if (ill * 2 >= members.length && members.length > 0) return "no";
  return healthy > 0 ? "yes" : "unknown";
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
