import {
  entrancesOf,
  serversProbe,
  type BalancedServer,
  type Entrances,
} from "../../facts/haproxy";
import { leaderOf } from "../../facts/member-state";
import type { HostAnswer } from "../status";
import { answerOf, isAsked, type Problem, type RoleHealth, type Seen } from "./role-health";

export interface HaproxyAnswer {
  readonly servers?: readonly BalancedServer[];
}

/** A load balancer. */
export interface BalancerState {
  readonly host: string;
  /** Whether its HAProxy answers. */
  readonly answers: boolean;
  /** Whether its host could not be asked: then nothing is known of it. */
  readonly unknown?: true;
  readonly holdsVip: boolean;
  /** Members behind each entrance, without those that get no sessions. */
  readonly entrances: Entrances;
  /** Every member behind every entrance. */
  readonly servers: readonly BalancedServer[];
}

export interface HaproxyState {
  readonly loadBalancers: readonly BalancerState[];
}

/** The load balancers, which have to lead to the members that the others see. */
export const haproxyHealth: RoleHealth<HaproxyAnswer, HaproxyState> = {
  roles: ["haproxy"],
  hosts: ({ entryPoint }) => entryPoint?.hosts ?? [],
  questions: ({ entryPoint }, host) =>
    entryPoint?.hosts.includes(host) ? { servers: serversProbe(entryPoint.statsPort) } : {},
  state: ({ entryPoint }, answers) => ({
    loadBalancers: (entryPoint?.hosts ?? []).map((host) =>
      balancerOf(host, answerOf(answers, host)),
    ),
  }),

  hostProblems: ({ entryPoint }, _answers, seen) => [
    ...(entryPoint ? balancerProblems(seen) : []),
    ...drainProblems(seen),
  ],
};

function balancerOf(host: string, answer: HostAnswer | undefined): BalancerState {
  const servers = answer?.servers ?? [];
  return {
    host,
    answers: servers.length > 0,
    ...(isAsked(answer) ? {} : { unknown: true as const }),
    holdsVip: (answer?.vipsHeld ?? []).length > 0,
    entrances: entrancesOf(servers),
    servers,
  };
}

function balancerProblems(seen: Seen): Problem[] {
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
