import type { MigrationStep } from "../../config/schema";
import { follows, leaderOf } from "../../facts/member-state";
import { hasMajority } from "../../operations/roles/dcs";
import type { ClusterStatus, MemberState } from "../../operations/status";
import { stepNames, type Method } from "../steps";

/** Where the server stands that is migrated; docs/migration.md says the same in sentences. */
export type ServerState = "alone" | "adopted" | "followed" | "replaced";

/** What tells which steps are done: the hosts as they are now, not what was done there once. */
export interface SeenSteps {
  readonly method: Method;
  readonly server: ServerState;
  readonly status: Pick<ClusterStatus, "members" | "dcs" | "loadBalancers" | "backup">;
  /** Whether the old address lets no clients in any more; nothing where it is not known. */
  readonly closed?: boolean;
}

/**
 * `done`; `next`: the first that is not; `open`: not done either; `unknown`: those who would tell could not be asked.
 */
export interface StepState {
  readonly name: MigrationStep;
  readonly state: "done" | "next" | "open" | "unknown";
}

/** Which steps of a migration are done, and which one comes next. */
export function stepsDone(seen: SeenSteps): StepState[] {
  const names: readonly MigrationStep[] = stepNames(seen.method);
  const done = new Map<MigrationStep, boolean | undefined>();
  for (const name of names) {
    const before = names[names.indexOf(name) - 1];
    done.set(name, DONE[name](seen, before === undefined || done.get(before)));
  }
  // Whatever is away since then: the clients have moved.
  if (done.get("cutOver")) return names.map((name) => ({ name, state: "done" }));
  const next = names.find((name) => done.get(name) !== true);
  return names.map((name) => {
    const is = done.get(name);
    if (is === undefined) return { name, state: "unknown" };
    return { name, state: is ? "done" : name === next ? "next" : "open" };
  });
}

/** Whether a step is done; nothing where it is not known. @param before whether the one before it is. */
type Judge = (seen: SeenSteps, before: boolean | undefined) => boolean | undefined;

const DONE: { readonly [step in MigrationStep]: Judge } = {
  prepared: ({ server, status }) => server !== "alone" || KNOWN[hasMajority(status.dcs)],
  adopted: ({ server, status }) => {
    if (server === "alone") return false;
    if (leaderOf(status) !== undefined) return true;
    return status.members.some(isUnknown) ? undefined : false;
  },
  replicated: ({ server, status: { members } }) => {
    if (server === "alone") return false;
    const late = members.filter(({ state, pendingRestart }) => !follows(state) || pendingRestart);
    return late.length === 0 || (late.every(isUnknown) ? undefined : false);
  },
  balanced: ({ method, status }, before) => {
    const { loadBalancers } = status;
    if (loadBalancers.length === 0) return before;
    const leads = method === "adopt" ? "primary" : "replica";
    const late = loadBalancers.filter(({ entrances }) => (entrances[leads] ?? []).length === 0);
    return late.length === 0 || (late.every(({ unknown }) => unknown) ? undefined : false);
  },
  backedUp: ({ status: { backup } }, before) => {
    if (!backup) return before;
    return backup.unknown ? undefined : backup.count > 0;
  },
  // A server that is only followed goes on to let clients in until then.
  cutOver: ({ server, closed }) => server === "replaced" || (server === "adopted" ? closed : false),
};

const KNOWN = { yes: true, no: false, unknown: undefined };

function isUnknown({ condition }: Pick<MemberState, "condition">): boolean {
  return condition === "unknown";
}
