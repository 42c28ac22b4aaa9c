import type { ClusterStatus, MemberState } from "../operations/status";
import type { Intent } from "../cluster/cluster";
import { duration, type Interruption } from "../probe/report";
import type { Act } from "./news";

// What the page asks before it does it.

/** What would be done, and for a change of the leader who would lead. */
export type Told = Intent & { readonly to?: string };

/** Something that is done only once somebody has read what it will do. */
export interface Question {
  /** `Cut the power of db1`; the button that does it says the same. */
  readonly what: string;
  /** Where the API tells what it would do, or that itself. */
  readonly intent: string | Intent;
  /** Said while it is done: `Switching over…` */
  readonly doing: string;
  /** Whether it takes something away that does not come back by itself. */
  readonly grave?: boolean;
  /** What has to be typed first. */
  readonly confirm?: string;
  /**
   * Does what was told, its objections overruled: they were read.
   * @returns what came of it; without it there is nothing to read.
   */
  readonly go: (act: Act, told: Told) => Promise<string | undefined>;
}

/** What a change has cost those who write. */
interface Cost {
  readonly interruption?: Interruption;
  readonly unmeasured?: string;
}

/** Whether a member leads and takes writes. */
export function leads({ role, condition }: Pick<MemberState, "role" | "condition">): boolean {
  return role === "leader" && condition === "serving";
}

/**
 * Another leader: by a switchover where one leads, by a failover where none does.
 * @param to who is to lead; without one the server proposes who.
 */
export function anotherLeader({ members }: Pick<ClusterStatus, "members">, to?: string): Question {
  return members.some(leads) ? switchover(to) : failover(to);
}

function switchover(to?: string): Question {
  return {
    what: "Switch over",
    intent: `switchover${query(to)}`,
    doing: "Switching over…",
    async go(act, { to: candidate, objections }) {
      const wish = { to: candidate, force: objections.length > 0 };
      const done = await act("POST", "switchover", wish);
      const { to: leader, timeline, ...cost } = done as { to: string; timeline?: number } & Cost;
      return `${leader} leads, on timeline ${timeline}. ${told(cost)}`;
    },
  };
}

function failover(to?: string): Question {
  return {
    what: "Fail over",
    intent: `failover${query(to)}`,
    doing: "Failing over…",
    grave: true,
    async go(act, { to: candidate, objections }) {
      const wish = { to: candidate, acceptDataLoss: objections.length > 0 };
      const done = await act("POST", "failover", wish);
      const { to: leader, seconds } = done as { to: string; seconds: number };
      return `${leader} leads, after ${duration(seconds * 1000)}.`;
    },
  };
}

export function restart(member: string): Question {
  return {
    what: `Restart PostgreSQL on ${member}`,
    intent: `members/${member}/restart`,
    doing: `Restarting PostgreSQL on ${member}…`,
    async go(act, { objections }) {
      const wish = { force: objections.length > 0 };
      const done = (await act("POST", `members/${member}/restart`, wish)) as Cost;
      const { seconds } = done as { seconds: number };
      return `${member} runs again, after ${duration(seconds * 1000)}. ${told(done)}`;
    },
  };
}

export function reinit(member: string): Question {
  return {
    what: `Copy ${member} anew`,
    intent: `members/${member}/reinit`,
    doing: `Deleting the data on ${member}, and copying it anew…`,
    grave: true,
    confirm: member,
    async go(act) {
      const done = await act("POST", `members/${member}/reinit`, { confirm: member });
      const { seconds } = done as { seconds: number };
      return `${member} is a new copy and streams, after ${duration(seconds * 1000)}.`;
    },
  };
}

/** A lab's host loses its power; it comes back at the same switch, which asks nothing then. */
export function powerCut(host: string, status: ClusterStatus): Question {
  const { members, loadBalancers, dcs, vips } = status;
  const voters = dcs.members.filter((one) => one.healthy && one.host !== host).length;
  const leading = members.some((one) => one.name === host && leads(one));
  const holding = loadBalancers.some((one) => one.host === host && one.holdsVip);
  const voting = !dcs.existing && dcs.members.some((one) => one.host === host);
  return {
    what: `Cut the power of ${host}`,
    intent: {
      refusals: [],
      objections: [],
      effects: [
        `${host} stops at once, as when its plug is pulled: it writes nothing out and says nothing to anybody.`,
        ...(leading ? [`${host} leads: no writes until another member has taken its place.`] : []),
        ...(holding ? [`${vips.join(", ")} goes to another load balancer.`] : []),
        ...(voting && voters * 2 <= dcs.members.length
          ? [`The DCS (${dcs.kind}) has no majority then: nobody can lead.`]
          : []),
        "The same switch starts it again, from the disks that it has.",
      ],
    },
    doing: "Cutting the power…",
    grave: true,
    go: (act) => act("PUT", `lab/hosts/${host}/power`, { on: false }).then(() => undefined),
  };
}

function query(to: string | undefined): string {
  return to === undefined ? "" : `?to=${encodeURIComponent(to)}`;
}

function told({ interruption, unmeasured }: Cost): string {
  if (unmeasured !== undefined)
    return `How long writes stood still was not measured: ${unmeasured}`;
  return interruption
    ? `Writes stood still for ${duration(interruption.ms)}.`
    : "No write was interrupted.";
}
