import { PgherdError, UsageError } from "../errors";
import { oneOf } from "../suggest";
import type { Hosts } from "../operations/drain";
import {
  observeStatus,
  type ClusterStatus,
  type MemberState,
  type StatusPlan,
} from "../operations/status";
import { placeProblem } from "./standstill";

/** What of a cluster's plan an operator needs. */
export interface OperatorPlan extends StatusPlan {
  readonly patroni: StatusPlan["patroni"] & {
    readonly neverLead: readonly string[];
    readonly rolling: {
      readonly maximumLag: number;
      readonly longestTransaction: number;
      readonly drain: number;
    };
  };
}

/** A cluster in an operator's hands: what it is to be, the way to its hosts, and who hears what is waited for. */
export interface Cluster extends Hosts {
  readonly plan: OperatorPlan;
  progress(message: string): void;
}

/** Checks have found that something must not be done now. Nothing has been changed. */
export class Refusal extends PgherdError {
  constructor(
    what: string,
    readonly reasons: readonly string[],
    hint?: string,
  ) {
    super(`${what} is refused, nothing was changed:\n${list(reasons)}`, hint);
  }
}

/** What an operator is about to do. */
export interface Intent {
  /** Why it must not be done. */
  readonly refusals: readonly string[];
  /** Why it should wait; may be overruled. */
  readonly objections: readonly string[];
  /** What it will do, in sentences. */
  readonly effects: readonly string[];
}

/** @throws Refusal if anything speaks against it that has not been overruled. */
export function insist(what: string, intent: Intent, overrule: boolean, by: string): void {
  if (intent.refusals.length > 0) {
    throw new Refusal(what, [...intent.refusals, ...intent.objections]);
  }
  if (intent.objections.length > 0 && !overrule) {
    throw new Refusal(what, intent.objections, `${by} goes on all the same.`);
  }
}

/** Something that must not be done. */
export function refused(...refusals: string[]): Intent {
  return { refusals, objections: [], effects: [] };
}

/**
 * Why nothing can be asked of a member's Patroni, and what keeps it away where that is known; none if it can.
 * @param does what it would do: `it restarts PostgreSQL`
 */
export async function unable(
  hosts: Hosts,
  { name, unasked, condition }: MemberState,
  does: string,
): Promise<string[]> {
  if (unasked) {
    return [
      `${name} cannot be reached from here, and the Patroni there is the one that ${does.replace(/^it /, "")}.`,
    ];
  }
  if (condition !== "silent") return [];
  const place = await placeProblem(hosts, name);
  return [`Patroni on ${name} does not answer; ${does}.`, ...(place === undefined ? [] : [place])];
}

/**
 * The cluster as whoever is to change it finds it.
 * @throws Refusal if there is none: a migration that is rolled back leaves one server, which is nobody's to operate.
 */
export async function observe({ plan, host }: Cluster): Promise<ClusterStatus> {
  if (plan.standalone) {
    throw new Refusal(plan.name, [
      `the stack's migration is rolled back: ${plan.standalone.host} stands alone, and nothing of the cluster runs`,
    ]);
  }
  return observeStatus(plan, host);
}

/** A member by name. */
export function memberOf({ members }: ClusterStatus, name: string): MemberState {
  const found = members.find((member) => member.name === name);
  if (found) return found;
  throw noSuchMember(
    members.map((member) => member.name),
    name,
  );
}

/**
 * @param saidBy the option that names it, where it is no argument: `--to`.
 * @throws UsageError naming all members if there is no such one
 */
export function requireMember(
  { plan }: Pick<Cluster, "plan">,
  name: string | undefined,
  saidBy?: string,
): void {
  const members = Object.keys(plan.patroni.members);
  if (name !== undefined && !members.includes(name)) throw noSuchMember(members, name, saidBy);
}

function noSuchMember(members: readonly string[], name: string, saidBy = "member"): UsageError {
  return new UsageError(`${saidBy}: expected ${oneOf(members, name)}`);
}

/** The members in one line, for messages: `db1 leader running, db2 replica starting`. */
export function describe({ members }: Pick<ClusterStatus, "members">): string {
  return members.map(({ name, role, state }) => `${name} ${role} ${state}`).join(", ");
}

/**
 * The member whose Patroni is asked for what concerns all: whoever answers passes it on through the DCS
 * (patroni/api.py, do_POST_failover and do_PATCH_config).
 * @param preferred asked if it can be.
 */
export function spokesman({ members }: ClusterStatus, preferred?: string): string | undefined {
  const able = members.filter(({ unasked, condition }) => !unasked && condition !== "silent");
  return (able.find(({ name }) => name === preferred) ?? able[0])?.name;
}

function list(reasons: readonly string[]): string {
  return reasons.map((reason) => `  - ${reason}`).join("\n");
}
