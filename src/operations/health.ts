import { FIREWALL_UNIT } from "../facts/firewall";
import { isSynchronous } from "../facts/patroni";
import { describeRestore } from "../facts/restore-record";
import type { ClusterStatus, HostAnswer, StatusPlan } from "./status";

/**
 * `healthy`: all is as the stack says. `degraded`: it takes writes, but something is missing. `down`: it takes no writes.
 * `unknown`: no host answered.
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
    return { health: "unknown", problems: answers.flatMap(({ problem }) => problem ?? []) };
  }
  const blocking = writeProblems(plan, seen);
  const unreachable = new Set(answers.filter(({ problem }) => problem).map(({ host }) => host));
  const problems = [
    ...blocking,
    ...answers.flatMap(({ problem }) => problem ?? []),
    ...[...memberProblems(plan, seen), ...dcsProblems(seen), ...balancerProblems(plan, seen)]
      .filter(({ host }) => host === undefined || !unreachable.has(host))
      .map(({ problem }) => problem),
    ...synchronousProblems(plan, seen),
    ...vipProblems(seen),
    ...restoreProblems(answers),
    ...firewallProblems(answers),
    ...(seen.backup?.problems ?? []),
  ];
  if (blocking.length > 0) return { health: "down", problems };
  return { health: problems.length > 0 ? "degraded" : "healthy", problems };
}

interface Problem {
  /** Where it is; what an unreachable host causes needs no words of its own. */
  readonly host?: string;
  readonly problem: string;
}

/** Name of the member that leads and takes writes. */
export function leaderOf({ members }: Pick<ClusterStatus, "members">): string | undefined {
  return members.find(({ role, state }) => role === "leader" && state === "running")?.name;
}

/** Whether PostgreSQL runs on a member, and streams if it is a replica. */
export function isUp({ state }: Pick<ClusterStatus["members"][number], "state">): boolean {
  return ["running", "streaming"].includes(state);
}

function writeProblems({ entryPoint }: StatusPlan, seen: Seen): string[] {
  const leader = leaderOf(seen);
  if (leader === undefined) return ["No member leads: no writes are possible."];
  if (!entryPoint) return [];
  const leading = seen.loadBalancers.some(({ entrances }) => entrances.primary?.includes(leader));
  return leading ? [] : [`No load balancer leads to ${leader}: no writes are possible.`];
}

function memberProblems({ patroni }: StatusPlan, { members }: Seen): Problem[] {
  return members
    .filter(({ name }) => Object.hasOwn(patroni.members, name))
    .filter((member) => !isUp(member))
    .map(({ name, state }) => ({
      host: name,
      problem:
        state === "no answer"
          ? `${name}: Patroni does not answer.`
          : `${name}: PostgreSQL is not up (${state}).${state === "start failed" ? remedy(name) : ""}`,
    }));
}

/** Patroni tries for ever, also where it cannot succeed: with data that do not lead to the leader's, or damaged ones. */
function remedy(name: string): string {
  return ` Patroni tries again; should it stay so, \`pgherd logs ${name}\` tells why, and \`pgherd reinit ${name}\` makes it anew from the leader or a backup.`;
}

function dcsProblems({ dcs }: Seen): Problem[] {
  const away = dcs.filter(({ healthy }) => !healthy);
  const problems: Problem[] = away.map(({ host }) => ({
    host,
    problem: `${host}: etcd is not healthy.`,
  }));
  return away.length * 2 < dcs.length
    ? problems
    : [...problems, { problem: "etcd has no majority: nobody can be elected to lead." }];
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

function synchronousProblems({ patroni }: StatusPlan, { members }: Seen): string[] {
  const wanted = patroni.synchronous?.count ?? 0;
  const found = members.filter((member) => isSynchronous(member) && isUp(member));
  if (found.length >= wanted) return [];
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
  return [`The virtual IP ${vips.join(", ")} is held by ${holders.join(" and ") || "nobody"}.`];
}
