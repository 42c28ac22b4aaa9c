import { admissionProbe } from "../../facts/admission";
import { fullDisksProbe, type FullDisk } from "../../facts/full-disk";
import { loadedIfUpProbe, type LoadedFiles } from "../../facts/loaded";
import { isUp, leaderOf, standbyLeaderOf, type Condition } from "../../facts/member-state";
import {
  clusterViewProbe,
  isSynchronous,
  memberStatusProbe,
  type ClusterView,
  type MemberStatus,
  type ScheduledSwitchover,
} from "../../facts/patroni";
import { dataPlaceProbe } from "../../facts/places";
import { streamsProbe, type Streams } from "../../facts/replication";
import { describeRestore, restoreRecordProbe, type FoundRestore } from "../../facts/restore-record";
import { describeFull } from "../full-disk";
import { describeShutOut, loadedProblems, sessionProblems } from "../loaded";
import { membersOf, type MemberState } from "../member-views";
import { asksInVain, COSMETIC, FOR_REPLAY } from "../settings";
import type { HostAnswer, StatusPlan } from "../status";
import { remedy } from "../stuck";
import { answerOf, type Problem, type RoleHealth, type Seen } from "./role-health";

export interface PatroniAnswer {
  readonly view?: ClusterView;
  readonly member?: MemberStatus;
  /** What it streams, and to whom. */
  readonly streams?: Streams;
  /** The restore that it is in the middle of. */
  readonly restore?: FoundRestore;
  /** What its server has loaded. */
  readonly loaded?: LoadedFiles;
  /** Why its server lets nobody in although it runs, in its own words. */
  readonly shutOut?: string;
  /** Why its data's file system keeps Patroni from starting; empty if nothing does. */
  readonly place?: string;
  /** File systems of its data on which there is no room left. */
  readonly full?: readonly FullDisk[];
}

export interface PatroniState {
  readonly paused: boolean;
  readonly scheduledSwitchover?: ScheduledSwitchover;
  /** No Patroni could be asked: whether the cluster is paused, what is scheduled, and who leads is not known by them. */
  readonly unviewed?: true;
  readonly members: readonly MemberState[];
}

/** The members: each as it is itself, what they stream to each other, and what they promise together. */
export const patroniHealth: RoleHealth<PatroniAnswer, PatroniState> = {
  roles: ["patroni"],
  hosts: ({ patroni }) => Object.keys(patroni.members),
  questions: ({ patroni: { members, port } }, host) => {
    const endpoint = members[host];
    if (endpoint === undefined) return {};
    return {
      view: clusterViewProbe(endpoint),
      member: memberStatusProbe(endpoint),
      streams: streamsProbe(port),
      restore: restoreRecordProbe,
      loaded: loadedIfUpProbe(port),
      shutOut: admissionProbe(port),
      place: dataPlaceProbe,
      full: fullDisksProbe,
    };
  },
  state: (plan, answers) => {
    // A member that has just started may answer before it has seen the others.
    const view = answers
      .flatMap((answer) => answer.view ?? [])
      .sort((a, b) => b.members.length - a.members.length)[0];
    return {
      paused: view?.paused ?? false,
      scheduledSwitchover: view?.scheduledSwitchover,
      ...(view === undefined && { unviewed: true as const }),
      members: membersOf(plan, answers, view),
    };
  },

  hostProblems: (plan, answers, seen) => [
    ...memberProblems(plan, answers, seen),
    ...roomProblems(answers, seen),
    ...silentServers(answers, seen),
    ...streamProblems(answers, seen),
    ...pendingProblems(answers, seen),
  ],
  clusterProblems: (plan, answers, seen) => [
    ...synchronousProblems(plan, seen),
    ...restoreProblems(answers),
    ...answers.flatMap(({ host, loaded }) => (loaded ? loadedProblems(host, loaded) : [])),
    ...answers.flatMap(({ host, shutOut }) => (shutOut ? [describeShutOut(host, shutOut)] : [])),
    // They are the same on every member.
    ...new Set(
      answers.flatMap(({ loaded }) =>
        loaded ? sessionProblems(loaded, plan.patroni.synchronous !== null) : [],
      ),
    ),
  ],
};

function memberProblems(
  { patroni }: StatusPlan,
  answers: readonly HostAnswer[],
  { members, paused }: Seen,
): Problem[] {
  const placeOf = (name: string) => answerOf(answers, name)?.place;
  return members
    .filter(({ name }) => Object.hasOwn(patroni.members, name))
    .filter((member) => !isUp(member))
    .map(({ name, state, condition }) => ({
      host: name,
      // Patroni is not there to say it.
      problem: placeOf(name)
        ? `${name}: ${placeOf(name)}`
        : describe(name, state, condition, paused, fullOf(answers, name)),
    }));
}

function fullOf(answers: readonly HostAnswer[], name: string): readonly FullDisk[] {
  return answerOf(answers, name)?.full ?? [];
}

/** Members without room for their data, whether they run yet or not. */
function roomProblems(answers: readonly HostAnswer[], { members }: Seen): Problem[] {
  return members.flatMap((member) =>
    describeFull(member.name, fullOf(answers, member.name), !isUp(member)).map((problem) => ({
      host: member.name,
      problem,
    })),
  );
}

/** Servers that were asked and said nothing, though their Patroni has not noticed yet: it asks once a round, and patiently. */
function silentServers(answers: readonly HostAnswer[], { members }: Seen): Problem[] {
  return members
    .filter((member) => isUp(member))
    .flatMap(({ name, state }) => {
      const answer = answerOf(answers, name);
      const asked = answer && "loaded" in answer && "streams" in answer;
      if (!asked || answer.loaded || answer.streams || answer.shutOut) return [];
      const problem = `${name}: PostgreSQL does not answer, although Patroni calls it ${JSON.stringify(state)}: it stands still, or its disk does.`;
      return [{ host: name, problem }];
    });
}

/** Replicas that no server sends WAL to, though there is a leader, and all servers have been asked. */
function streamProblems(answers: readonly HostAnswer[], seen: Seen): Problem[] {
  const leader = seen.members.find(({ name }) => name === leaderOf(seen));
  const all = seen.members.every(
    ({ name, condition }) =>
      condition !== "serving" || answers.some((one) => one.host === name && one.streams),
  );
  if (!leader || !all) return [];
  return seen.members
    .filter((one) => one !== leader && isUp(one) && one.upstream === undefined)
    .map(({ name, timeline }) => ({
      host: name,
      problem:
        `${name}: does not stream from anybody` +
        (timeline === leader.timeline
          ? "."
          : ` (timeline ${timeline ?? "unknown"}; ${leader.name} is on ${leader.timeline ?? "unknown"}).`) +
        ` Should it stay so, ${remedy(name)}`,
    }));
}

/**
 * Members whose settings wait for a restart. After a restore to a time before a setting became lower, replicas start with the
 * value of then (patroni/postgresql/config.py, effective_configuration). A leader that was made from a backup is said to wait for
 * what only a replay needs.
 */
function pendingProblems(answers: readonly HostAnswer[], { paused, members }: Seen): Problem[] {
  return answers.flatMap(({ host, member, loaded }) => {
    if (!member?.pendingRestart || asksInVain(member, loaded ?? {})) return [];
    const told = member.pendingSettings ?? {};
    const all = Object.keys(told).length > 0 ? Object.keys(told) : (loaded?.pending ?? []);
    const names = all.filter(
      (name) =>
        !COSMETIC.includes(name) && !FOR_REPLAY.test(name) && !loaded?.unchanged?.includes(name),
    );
    const leads = members.some(({ name, role }) => name === host && role === "leader");
    if (names.length === 0 && (all.length > 0 || leads)) return [];
    const shown = names.map((name) => {
      const { running, wanted } = told[name] ?? {};
      // PostgreSQL forgets a change that was taken back at its next start only.
      return running === wanted ? name : `${name} (${running} → ${wanted})`;
    });
    const what = shown.join(", ") || "a setting";
    const since = member.startedAt ? `, which runs since ${member.startedAt.slice(0, 19)}` : "";
    const next = paused ? "`pgherd resume`, then pulumi up restarts it." : "pulumi up restarts it.";
    return { host, problem: `${host}: ${what} waits for a restart of PostgreSQL${since}: ${next}` };
  });
}

function describe(
  name: string,
  state: string,
  condition: Condition,
  paused: boolean,
  full: readonly FullDisk[],
): string {
  if (condition === "silent") return `${name}: Patroni does not answer.`;
  if (condition === "unknown")
    return `${name}: it is not known whether PostgreSQL is up (Patroni calls it ${JSON.stringify(state)}).`;
  // While the cluster is paused nothing is tried.
  const tried = condition === "failed" || (condition === "stopped" && !paused);
  // A new copy would want that room as well.
  if (full.length > 0) return `${name}: PostgreSQL is not up (${state}).`;
  return `${name}: PostgreSQL is not up (${state}).${tried ? ` Patroni tries again; should it stay so, ${remedy(name)}` : ""}`;
}

function synchronousProblems({ patroni }: StatusPlan, { members }: Seen): string[] {
  // Commits are those of the server that it follows.
  if (standbyLeaderOf({ members }) !== undefined) return [];
  const wanted = patroni.synchronous?.count ?? 0;
  const found = members.filter((member) => isSynchronous(member) && isUp(member));
  const unknown = members.filter((m) => isSynchronous(m) && m.condition === "unknown");
  if (found.length + unknown.length >= wanted) return [];
  return [`${found.length} of ${wanted} replicas confirm commits.`];
}

/** All members tell of the same one. */
function restoreProblems(answers: readonly HostAnswer[]): string[] {
  const told = answers.flatMap(({ restore }) => (restore ? [describeRestore(restore)] : []));
  return [...new Set(told)].map((text) => `A${text.slice(1)}`);
}
