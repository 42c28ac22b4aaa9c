import { leaderOf } from "../facts/member-state";
import type { BalancerState, ClusterStatus, MemberState } from "../operations/status";

/** Something that has happened in a cluster. */
export interface ClusterEvent {
  readonly at: string;
  readonly severity: "good" | "bad" | "note";
  /** A sentence. */
  readonly text: string;
}

type Told = Omit<ClusterEvent, "at">;

/** What is known of a load balancer. */
interface KnownBalancer extends BalancerState {
  /** Of one whose host could not be asked in the last look: that it could be in one before. */
  readonly wasAsked?: true;
}

/** What is known of a cluster, by one look or by several. */
interface KnownStatus extends ClusterStatus {
  readonly loadBalancers: readonly KnownBalancer[];
}

/**
 * What has happened between two looks, in sentences. What could not be asked, before or after, has not happened.
 * @param before what was known by then ({@link lastKnown}).
 */
export function eventsBetween(before: KnownStatus, after: ClusterStatus): ClusterEvent[] {
  const events = [
    ...leaderEvents(before, after),
    ...standaloneEvents(before, after),
    ...after.members.flatMap((member) =>
      memberEvents(find(before, member.name), member, before.unviewed !== true),
    ),
    ...dcsEvents(before, after),
    ...balancerEvents(before, after),
    ...clusterEvents(before, after),
  ];
  return events.map((event) => ({ at: after.at, ...event }));
}

/**
 * What is known of a cluster after another look: where that one could not ask, it is what was known before. Whether a
 * member, etcd or HAProxy answers is always as it was seen last.
 */
export function lastKnown(before: KnownStatus, after: ClusterStatus): KnownStatus {
  const { unviewed, ...seen } = after;
  return {
    ...seen,
    ...(unviewed && {
      paused: before.paused,
      scheduledSwitchover: before.scheduledSwitchover,
      ...(before.unviewed && { unviewed }),
    }),
    members: after.members.map((member) => knownMember(find(before, member.name), member, after)),
    loadBalancers: after.loadBalancers.map((balancer) =>
      knownBalancer(
        before.loadBalancers.find(({ host }) => host === balancer.host),
        balancer,
      ),
    ),
  };
}

/** In what a cluster is known by, `condition` is as it was seen last, and all else as it was known last. */
function knownMember(
  before: MemberState | undefined,
  after: MemberState,
  seen: ClusterStatus,
): MemberState {
  if (!before) return after;
  const told = !after.unasked && after.condition !== "silent" && after.condition !== "unknown";
  const known = { ...after, ...(!told && { upstream: after.upstream ?? before.upstream }) };
  if (!seen.unviewed) {
    const { role, pendingRestart } = before;
    return after.role === "unknown" ? { ...known, role, pendingRestart } : known;
  }
  // The load balancers may still show who leads.
  const leader = leaderOf(seen);
  if (leader === after.name) return known;
  const role = leader !== undefined && before.role === "leader" ? "replica" : before.role;
  return { ...known, role, state: before.state, pendingRestart: before.pendingRestart };
}

function knownBalancer(before: KnownBalancer | undefined, after: BalancerState): KnownBalancer {
  if (!before) return after;
  return {
    ...after,
    ...(after.unknown && {
      holdsVip: before.holdsVip,
      ...(isKnown(before) && { wasAsked: true as const }),
    }),
    entrances: after.answers ? after.entrances : before.entrances,
  };
}

function isKnown({ unknown, wasAsked }: KnownBalancer): boolean {
  return unknown === undefined || wasAsked === true;
}

function find({ members }: ClusterStatus, wanted: string): MemberState | undefined {
  return members.find(({ name }) => name === wanted);
}

function leaderEvents(before: ClusterStatus, after: ClusterStatus): Told[] {
  const [old, now] = [leaderOf(before), leaderOf(after)];
  if (old === now) return [];
  // Nobody who could tell was asked.
  if ((old === undefined && before.unviewed) || (now === undefined && after.unviewed)) return [];
  if (now === undefined) return [bad(`${old} leads no more, and nobody else does yet.`)];
  return [good(`${now} leads.`)];
}

function standaloneEvents(before: ClusterStatus, { standalone, health }: ClusterStatus): Told[] {
  if (!standalone || before.health === health) return [];
  if ([before.health, health].includes("unknown")) return [];
  const { host, state } = standalone;
  return [health === "down" ? bad(`${host} takes no writes (${state}).`) : good(`${host} serves.`)];
}

/** @param viewed whether anybody has told before what the members do. */
function memberEvents(
  before: MemberState | undefined,
  after: MemberState,
  viewed: boolean,
): Told[] {
  const { name, state, role } = after;
  const events: Told[] = [];
  if (before && (before.condition === "serving") !== (after.condition === "serving")) {
    events.push(
      after.condition === "serving"
        ? good(`${name} is up (${role.replace("_", " ")}).`)
        : after.condition === "silent"
          ? bad(`${name} does not answer.`)
          : after.condition === "unknown"
            ? bad(`${name} cannot be asked: whether PostgreSQL is up is not known.`)
            : bad(`${name}: PostgreSQL is not up (${state}).`),
    );
  }
  if (!viewed) return events;
  if (after.upstream !== undefined && before?.upstream !== after.upstream) {
    events.push(note(`${name} streams from ${after.upstream}.`));
  }
  if (before && before.role !== role && /^(sync|quorum)_standby$/.test(role)) {
    events.push(note(`${name} confirms commits now.`));
  }
  if (before && !before.pendingRestart && after.pendingRestart) {
    events.push(note(`A setting waits for a restart of ${name}.`));
  }
  return events;
}

function dcsEvents(before: ClusterStatus, after: ClusterStatus): Told[] {
  const { kind } = after.dcs;
  return after.dcs.members.flatMap(({ host, healthy, unknown }) => {
    const old = before.dcs.members.find((member) => member.host === host);
    if (!old || (old.healthy === healthy && old.unknown === unknown)) return [];
    if (unknown) return bad(`${kind} on ${host} cannot be asked.`);
    if (after.dcs.existing) {
      return healthy ? good(`${kind} answers ${host}.`) : bad(`${kind} does not answer ${host}.`);
    }
    return healthy
      ? good(`${kind} on ${host} is healthy.`)
      : bad(`${kind} on ${host} is not healthy.`);
  });
}

function balancerEvents(before: KnownStatus, after: ClusterStatus): Told[] {
  return after.loadBalancers.flatMap((balancer) => {
    const { host, answers, unknown, holdsVip } = balancer;
    const old = before.loadBalancers.find((one) => one.host === host);
    if (!old) return [];
    const events: Told[] = [];
    if (unknown) return old.unknown ? [] : bad(`HAProxy on ${host} cannot be asked.`);
    if (old.answers !== answers || old.unknown) {
      events.push(
        answers ? good(`HAProxy on ${host} answers.`) : bad(`HAProxy on ${host} does not answer.`),
      );
    }
    // Of one that was never asked before it is no news what it does.
    if (!isKnown(old)) return events;
    if (!old.holdsVip && holdsVip) events.push(good(`${host} holds the virtual IP.`));
    const [was, is] = [old, balancer].map(({ entrances }) => entrances.primary?.join(" and "));
    if (is && was !== is) events.push(note(`${host} leads writes to ${is}.`));
    return events;
  });
}

function clusterEvents(before: ClusterStatus, after: ClusterStatus): Told[] {
  if (before.unviewed || after.unviewed) return [];
  const events: Told[] = [];
  if (before.paused !== after.paused) {
    events.push(
      note(after.paused ? "The cluster is paused." : "The cluster is not paused any more."),
    );
  }
  const { scheduledSwitchover: planned } = after;
  if (planned && before.scheduledSwitchover?.at !== planned.at) {
    events.push(note(`A switchover is scheduled at ${planned.at}.`));
  }
  return events;
}

function good(text: string): Told {
  return { severity: "good", text };
}

function bad(text: string): Told {
  return { severity: "bad", text };
}

function note(text: string): Told {
  return { severity: "note", text };
}
