import { dcsOf } from "../dcs/dcs";
import { FIREWALL_UNIT } from "../facts/firewall";
import { isSynchronous } from "../facts/patroni";
import { describeRestore } from "../facts/restore-record";
import { isUp, leaderOf, standbyLeaderOf, type Condition } from "../facts/member-state";
import type { StandaloneServer } from "../migration/facts/standalone";
import { loadedProblems, sessionProblems } from "./loaded";
import { oneCauseOnce } from "./one-cause";
import { asksInVain, COSMETIC, FOR_REPLAY } from "./settings";
import type { ClusterStatus, HostAnswer, StatusPlan } from "./status";
import { remedy } from "./stuck";
import { sizeOf } from "./words";
import { judgeWrites } from "./writes";

/**
 * `healthy`: all is as the stack says. `degraded`: it takes writes, but something is missing. `down`: it takes no writes.
 * `unknown`: what answered does not tell whether it takes writes.
 */
export type Health = "healthy" | "degraded" | "down" | "unknown";

export interface Judgement {
  readonly health: Health;
  /** Why it is not healthy, one sentence each. */
  readonly problems: readonly string[];
}

type Seen = Omit<ClusterStatus, "health" | "healthy" | "problems">;

/** Whether a cluster does what its stack says. */
export function judge(plan: StatusPlan, answers: readonly HostAnswer[], seen: Seen): Judgement {
  if (answers.every(({ problem }) => problem !== undefined)) {
    return { health: "unknown", problems: unansweredOf(answers) };
  }
  const writes = judgeWrites(plan, seen);
  const unreachable = new Set(answers.filter(({ problem }) => problem).map(({ host }) => host));
  const problems = [
    ...(writes.problem === undefined ? [] : [writes.problem]),
    ...unansweredOf(answers),
    ...seenOnlyByOthers(seen),
    ...[
      ...memberProblems(plan, answers, seen),
      ...streamProblems(answers, seen),
      ...pendingProblems(answers, seen),
      ...dcsProblems(seen),
      ...balancerProblems(plan, seen),
      ...drainProblems(seen),
    ]
      .filter(({ host }) => host === undefined || !unreachable.has(host))
      .map(({ problem }) => problem),
    ...synchronousProblems(plan, seen),
    ...vipProblems(seen),
    ...restoreProblems(answers),
    ...firewallProblems(answers),
    ...answers.flatMap(({ host, loaded }) => (loaded ? loadedProblems(host, loaded) : [])),
    // They are the same on every member.
    ...new Set(
      answers.flatMap(({ loaded }) =>
        loaded ? sessionProblems(loaded, plan.patroni.synchronous !== null) : [],
      ),
    ),
    ...(seen.backup?.problems ?? []),
  ];
  if (writes.possible === "no") return { health: "down", problems };
  if (writes.possible === "unknown") return { health: "unknown", problems };
  return { health: problems.length > 0 ? "degraded" : "healthy", problems };
}

/** Whether a server that stands alone does what is left of the stack: that it takes writes. */
export function judgeAlone({ condition, takesWrites, problems }: StandaloneServer): Health {
  if (condition === "unknown") return "unknown";
  if (condition !== "serving" || !takesWrites) return "down";
  return problems.length > 0 ? "degraded" : "healthy";
}

interface Problem {
  /** Where it is; what an unreachable host causes needs no words of its own. */
  readonly host?: string;
  readonly problem: string;
}

/** Whether the DCS can decide anything. Who is healthy takes part in a majority, also with some that were not asked. */
function hasMajority({ members }: ClusterStatus["dcs"]): "yes" | "no" | "unknown" {
  const healthy = members.filter((one) => one.healthy).length;
  const ill = members.filter((one) => !one.healthy && !one.unknown).length;
  if (ill * 2 >= members.length && members.length > 0) return "no";
  return healthy > 0 ? "yes" : "unknown";
}

/** Why nobody can be elected to lead, as far as the DCS goes; nothing if somebody can. */
export function electionProblem(dcs: ClusterStatus["dcs"]): string | undefined {
  const majority = hasMajority(dcs);
  if (majority === "yes") return undefined;
  return majority === "no"
    ? `the DCS (${dcs.kind}) has no majority`
    : `it is not known whether the DCS (${dcs.kind}) has a majority, since none of its members could be asked`;
}

/** What the others show of a member whose host could not be asked. */
function seenOnlyByOthers({ members }: Seen): string[] {
  return members.flatMap(({ name, role, seenBy }) => {
    if (!seenBy) return [];
    const by = `${seenBy.join(" and ")} lead${seenBy.length === 1 ? "s" : ""}`;
    return role === "leader"
      ? `${name} leads all the same: ${by} writes to it.`
      : `${name} takes reads all the same: ${by} them to it.`;
  });
}

function memberProblems(
  { patroni }: StatusPlan,
  answers: readonly HostAnswer[],
  { members }: Seen,
): Problem[] {
  const placeOf = (name: string) => answers.find(({ host }) => host === name)?.place;
  return members
    .filter(({ name }) => Object.hasOwn(patroni.members, name))
    .filter((member) => !isUp(member))
    .map(({ name, state, condition }) => ({
      host: name,
      // Patroni is not there to say it.
      problem: placeOf(name) ? `${name}: ${placeOf(name)}` : describe(name, state, condition),
    }));
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

function describe(name: string, state: string, condition: Condition): string {
  if (condition === "silent") return `${name}: Patroni does not answer.`;
  if (condition === "unknown")
    return `${name}: it is not known whether PostgreSQL is up (Patroni calls it ${JSON.stringify(state)}).`;
  return `${name}: PostgreSQL is not up (${state}).${condition === "failed" ? ` Patroni tries again; should it stay so, ${remedy(name)}` : ""}`;
}

function dcsProblems({ dcs }: Seen): Problem[] {
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
}

/** NOSPACE: https://etcd.io/docs/v3.5/op-guide/maintenance/#space-quota */
function alarmProblem(alarm: string, { kind, members }: Seen["dcs"]): string {
  if (alarm !== "NOSPACE") {
    const { unit, listAlarmsByHand } = dcsOf({ kind, members: {} });
    return `${kind} has raised the alarm ${alarm}: ${listAlarmsByHand}, and journalctl -u ${unit} on its hosts.`;
  }
  const [largest] = [...members].sort((a, b) => (b.databaseBytes ?? 0) - (a.databaseBytes ?? 0));
  const { host = "", databaseBytes = 0, usedBytes = 0, quotaBytes = 0 } = largest ?? {};
  return (
    `The DCS (${kind}) is full and takes no writes (alarm NOSPACE): nobody can be elected to lead, and no setting be changed. ` +
    `Its database on ${host} has ${sizeOf(databaseBytes)}, ${sizeOf(usedBytes)} of it in use; dcs.quota is ${sizeOf(quotaBytes)}. ` +
    "`pgherd dcs defrag` gives back what is not in use and takes the alarm back; raise the quota if that is not enough."
  );
}

function balancerProblems({ entryPoint }: StatusPlan, seen: Seen): Problem[] {
  if (!entryPoint) return [];
  const leader = leaderOf(seen);
  return seen.loadBalancers.flatMap(({ host, answers, entrances }): Problem[] => {
    if (!answers) return [{ host, problem: `${host}: HAProxy does not answer.` }];
    const primaries = entrances.primary ?? [];
    if (leader === undefined || (primaries.length === 1 && primaries[0] === leader)) return [];
    const led = primaries.join(" and ") || "nobody";
    return [{ host, problem: `${host}: HAProxy leads writes to ${led}, not to ${leader}.` }];
  });
}

/** As a restart leaves them that was cut off before it took them back in (HAProxy, management guide 9.1: `status`). */
function drainProblems({ loadBalancers }: Seen): Problem[] {
  return loadBalancers.flatMap(({ host, servers }) =>
    servers
      .filter(({ status }) => /^(DRAIN|MAINT)/.test(status))
      .map(({ entrance, server, status }) => ({
        host,
        problem:
          `${host}: no new sessions reach ${server} through ${entrance} (${status.toLowerCase()}). ` +
          (status.startsWith("DRAIN")
            ? "If nothing is at work there now, pulumi up takes it back in."
            : "Somebody has taken it out by hand."),
      })),
  );
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

const LOAD_IT = `Load them: systemctl restart ${FIREWALL_UNIT} on it, or pulumi up.`;

/** Not told by the daemons, which go on as before. */
function firewallProblems(answers: readonly HostAnswer[]): string[] {
  return answers.flatMap(({ host, firewall }) => {
    if (!firewall) return [];
    const { loaded, enabled } = firewall;
    if (loaded === "absent") {
      return `${host}: the firewall's rules are not loaded: whoever reaches the host reaches its ports. ${LOAD_IT}`;
    }
    if (loaded === "changed") {
      return `${host}: the firewall's rules are not those that pgherd has loaded. ${LOAD_IT}`;
    }
    if (enabled === "enabled") return [];
    return `${host}: the firewall's rules will not be loaded when it starts again (${FIREWALL_UNIT} is ${enabled}). Enable it by pulumi up.`;
  });
}

function vipProblems({ vips, loadBalancers }: Seen): string[] {
  if (vips.length === 0) return [];
  const holders = loadBalancers.filter(({ holdsVip }) => holdsVip).map(({ host }) => host);
  if (holders.length === 1) return [];
  if (holders.length === 0 && loadBalancers.some(({ unknown }) => unknown))
    return [`Who holds the virtual IP ${vips.join(", ")} is not known.`];
  return [`The virtual IP ${vips.join(", ")} is held by ${holders.join(" and ") || "nobody"}.`];
}

/** Why hosts do not answer. */
function unansweredOf(answers: readonly HostAnswer[]): string[] {
  const problems = answers.flatMap(({ problem }) => problem ?? []);
  return oneCauseOnce(
    problems,
    answers.map(({ host }) => host),
  );
}
