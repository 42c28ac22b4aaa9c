import { isUp, leaderOf } from "../operations/health";
import type { ClusterStatus, MemberState } from "../operations/status";

/** Something that has happened in a cluster. */
export interface ClusterEvent {
  readonly at: string;
  readonly severity: "good" | "bad" | "note";
  /** A sentence. */
  readonly text: string;
}

type Told = Omit<ClusterEvent, "at">;

/** What has happened between two looks, in sentences. */
export function eventsBetween(before: ClusterStatus, after: ClusterStatus): ClusterEvent[] {
  const events = [
    ...leaderEvents(before, after),
    ...after.members.flatMap((member) => memberEvents(find(before, member.name), member)),
    ...dcsEvents(before, after),
    ...balancerEvents(before, after),
    ...clusterEvents(before, after),
  ];
  return events.map((event) => ({ at: after.at, ...event }));
}

function find({ members }: ClusterStatus, wanted: string): MemberState | undefined {
  return members.find(({ name }) => name === wanted);
}

function leaderEvents(before: ClusterStatus, after: ClusterStatus): Told[] {
  const [old, now] = [leaderOf(before), leaderOf(after)];
  if (old === now) return [];
  if (now === undefined) return [bad(`${old} leads no more, and nobody else does yet.`)];
  return [good(`${now} leads.`)];
}

function memberEvents(before: MemberState | undefined, after: MemberState): Told[] {
  const { name, state, role } = after;
  const events: Told[] = [];
  if (before && before.condition !== after.condition && isUp(before) !== isUp(after)) {
    events.push(
      isUp(after)
        ? good(`${name} is up (${role.replace("_", " ")}).`)
        : after.condition === "silent"
          ? bad(`${name} does not answer.`)
          : after.condition === "unknown"
            ? bad(`${name} cannot be asked: whether PostgreSQL is up is not known.`)
            : bad(`${name}: PostgreSQL is not up (${state}).`),
    );
  }
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
  return after.dcs.flatMap(({ host, healthy, unknown }) => {
    const old = before.dcs.find((member) => member.host === host);
    if (!old || old.healthy === healthy) return [];
    if (unknown) return bad(`etcd on ${host} cannot be asked.`);
    return healthy ? good(`etcd on ${host} is healthy.`) : bad(`etcd on ${host} is not healthy.`);
  });
}

function balancerEvents(before: ClusterStatus, after: ClusterStatus): Told[] {
  return after.loadBalancers.flatMap((balancer) => {
    const { host, answers, holdsVip } = balancer;
    const old = before.loadBalancers.find((one) => one.host === host);
    if (!old) return [];
    const events: Told[] = [];
    if (old.answers !== answers) {
      events.push(
        answers ? good(`HAProxy on ${host} answers.`) : bad(`HAProxy on ${host} does not answer.`),
      );
    }
    if (!old.holdsVip && holdsVip) events.push(good(`${host} holds the virtual IP.`));
    const [was, is] = [old, balancer].map(({ entrances }) => entrances.primary?.join(" and "));
    if (is && was !== is) events.push(note(`${host} leads writes to ${is}.`));
    return events;
  });
}

function clusterEvents(before: ClusterStatus, after: ClusterStatus): Told[] {
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
