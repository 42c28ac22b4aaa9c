import { conditionOf, follows, NO_ANSWER, NOT_TO_BE_ASKED } from "../facts/member-state";
import type { ClusterMember, ClusterView } from "../facts/patroni";

/**
 * Seconds after which a member that is in such a state all the time will not come back by itself. Patroni tries again
 * in each round (`loop_wait`, 10 s), so that three rounds have failed. One that starts, or is copied, may take as long as
 * its data needs.
 */
const PATIENCE_SECONDS = { failed: 35, stopped: 60, silent: 90, behind: 90, notAsked: 35 };

/** The same for one whose data is made anew: before the copy begins, the old data is deleted, and until then it is stopped. */
export const WHILE_COPIED = {
  failed: 900,
  stopped: 900,
  silent: 900,
  behind: Infinity,
  notAsked: 900,
};

/** A member in a view; of one that this machine cannot reach it is only not known how it is. */
type Seen = ClusterMember & { readonly unasked?: true };

/** A member that is not coming back. */
export interface Stuck {
  readonly name: string;
  /** `start failed` */
  readonly state: string;
  readonly seconds: number;
}

/** Remembers between looks since when members have been as they are. */
export class Standstill {
  private readonly since = new Map<string, { readonly state: string; readonly at: number }>();

  constructor(
    private readonly patience: typeof PATIENCE_SECONDS = PATIENCE_SECONDS,
    private readonly now: () => number = Date.now,
  ) {}

  /** @returns those of these members for whom no more waiting helps. */
  see(names: readonly string[], view: { readonly members: readonly Seen[] } | undefined): Stuck[] {
    return names.flatMap((name) => {
      const member = view?.members.find((one) => one.name === name);
      const state = member?.state ?? NO_ANSWER;
      // Whoever catches up is on the way.
      const seen = `${state} ${member?.timeline} ${member?.lagBytes}`;
      const before = this.since.get(name);
      if (before?.state !== seen) this.since.set(name, { state: seen, at: this.now() });
      const seconds = (this.now() - (this.since.get(name)?.at ?? 0)) / 1000;
      const patience = patienceOf(member, state, this.patience);
      return seconds >= patience ? [{ name, state, seconds: Math.round(seconds) }] : [];
    });
  }
}

function patienceOf(
  member: Seen | undefined,
  state: string,
  patience: typeof PATIENCE_SECONDS,
): number {
  const condition = conditionOf(state);
  if (condition === "failed" || condition === "stopped" || condition === "silent")
    return patience[condition];
  if (state === NOT_TO_BE_ASKED) return member?.unasked ? Infinity : patience.notAsked;
  // A replica that runs, does not stream and comes no nearer.
  return condition === "serving" && member?.role !== "leader" && !follows(state)
    ? patience.behind
    : Infinity;
}

/** What helps a member that does not come back by itself. */
export function remedy(name: string): string {
  return `\`pgherd logs ${name}\` tells why, and \`pgherd reinit ${name}\` makes it anew from the leader or a backup.`;
}

/** The same of one whose server may do well: what keeps Patroni from it has to be found first. */
export function remedyOf({ name, state }: Stuck): string {
  if (state !== NOT_TO_BE_ASKED) return remedy(name);
  return `\`pgherd status\` tells what keeps Patroni from asking it, as far as that is known, and \`pgherd logs ${name}\` the rest.`;
}

/** What is wrong with such members, in words. */
export function describeStuck(stuck: readonly Stuck[]): string {
  return stuck
    .map(({ name, state, seconds }) =>
      state === NOT_TO_BE_ASKED
        ? `${name} ${state} for ${seconds} s: its server runs, and Patroni cannot ask it`
        : `${name} ${state} for ${seconds} s, and Patroni does not get further`,
    )
    .join("; ");
}

/**
 * Why members that are down stay so while the cluster is paused; nothing if it is not. Patroni starts and promotes
 * nothing then (patroni/ha.py, `is_paused`).
 */
export function heldByPause(
  names: readonly string[],
  view: ClusterView | undefined,
): string | undefined {
  if (!view?.paused) return undefined;
  const down = names.filter((name) => {
    const state = view.members.find((one) => one.name === name)?.state;
    return state !== undefined && ["failed", "stopped"].includes(conditionOf(state));
  });
  if (down.length === 0) return undefined;
  return `${down.join(", ")} down, and Patroni starts nothing while the cluster is paused`;
}
