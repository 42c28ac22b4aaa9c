import { follows, leaderOf, serves, STREAMING } from "../facts/member-state";
import {
  describeMembers,
  isSynchronous,
  type ClusterMember,
  type ClusterView,
} from "../facts/patroni";
import { slotOf } from "../roles/patroni";
import { chooseLeader, nobodyBecause, type LeadRules } from "./candidates";

// Whether members of a running cluster may leave it, and what that does. Pure.

export interface Departing {
  /** The cluster as its members see it; nothing where none answers. */
  readonly view: ClusterView | undefined;
  readonly leaving: readonly string[];
  readonly staying: readonly string[];
  /** Those of the leaving that cannot be reached, and that the stack has given up. */
  readonly gone: readonly string[];
  readonly rules: Pick<LeadRules, "neverLead" | "maximumLag">;
  /** Patroni's dynamic configuration. */
  readonly configuration: { readonly [key: string]: unknown };
}

/** Why they must not leave now, each reason with what comes first; none if they may. */
export function whyNotLeave(departing: Departing): string[] {
  const { view, leaving, staying, gone, rules, configuration } = departing;
  const all = leaving.join(", ");
  const named = leaving.filter((name) =>
    Object.hasOwn((configuration.slots ?? {}) as object, slotOf(name)),
  );
  const reasons = named.map(
    (name) =>
      `pgherd:cluster.postgresql.slots: expected no slot with the name of a former member, got ${slotOf(name)}. ` +
      "It would keep WAL for a member that is gone: take it out.",
  );
  if (!view) return [...reasons, `${all}: expected a member that answers, got none. ${STATUS}`];
  if (view.paused) {
    reasons.push(
      `${all}: expected Patroni to look after the cluster, found it paused: it would leave PostgreSQL running where it ends. pgherd resume, then pulumi up again.`,
    );
  }
  const leader = leaderOf(view);
  if (leader === undefined) {
    return [
      ...reasons,
      `${all}: expected a leader, found ${describeMembers(view)}. Nobody leaves before one leads. ${STATUS}`,
    ];
  }
  const found = (name: string) => view.members.find((member) => member.name === name);
  const isCopy = (name: string) => copies(found(name), found(leader), rules.maximumLag);
  const away = staying.filter((name) => name !== leader && !isCopy(name));
  if (away.length > 0) {
    reasons.push(
      `${away.join(", ")}: expected every member that stays to stream before ${all} leaves, found ${away
        .map((name) => stateOf(found(name)))
        .join(", ")}: there would be fewer copies than the stack says. ` +
        "Mend that first (pgherd status), or take it out of the stack as well.",
    );
  }
  // Whoever leads is told of below.
  for (const name of gone.filter((one) => one !== leader)) {
    const state = found(name)?.state ?? "";
    if (!serves(state)) continue;
    reasons.push(
      `${name}: expected a member that is gone for good, found ${state}, as the others see it: it holds its lease in the DCS, so it runs. ` +
        "Switch its host off and wait until the lease ends (failover.ttl), or let it leave in order; then pulumi up again.",
    );
  }
  const { synchronous_mode_strict: strict, synchronous_node_count: count } = configuration;
  const confirming = staying.filter((name) => name !== leader && isCopy(name)).length;
  // Who takes the lead confirms nothing any more.
  const left = leaving.includes(leader) ? confirming - 1 : confirming;
  if (strict === true && left < Number(count ?? 1)) {
    reasons.push(
      `${all}: expected ${Number(count ?? 1)} of the replicas that stay to confirm commits in the mode strict, found ${Math.max(0, left)} that could: nobody could write. ` +
        "Add members first, or choose another replication.mode; then take it out.",
    );
  }
  if (!leaving.includes(leader)) return reasons;
  if (gone.includes(leader)) {
    reasons.push(
      `${leader}: expected a member that is gone for good, found that it leads, as the others see it. Switch its host off, or pgherd failover; then pulumi up again.`,
    );
    return reasons;
  }
  // Whoever does not confirm yet does so before.
  const choice = chooseLeader({ ...rules, synchronous: false }, "handover", [
    ...view.members.filter(({ name }) => staying.includes(name) || name === leader),
  ]);
  if (choice.able.length === 0) {
    reasons.push(
      `${leader}: expected a member that could take the lead from it before it leaves, found none: ${nobodyBecause(choice)}.`,
    );
  }
  return reasons;
}

/**
 * Whether a replica is a copy at this moment. Patroni says that one streams, an older one only that it runs, which is true of one
 * that cannot follow as well (facts/member-state.ts).
 */
function copies(
  member: ClusterMember | undefined,
  leader: ClusterMember | undefined,
  maximumLag: number,
): boolean {
  if (!member || !follows(member.state)) return false;
  if (member.state === STREAMING) return true;
  const { timeline, lagBytes = Infinity } = member;
  return lagBytes <= maximumLag && timeline !== undefined && timeline === leader?.timeline;
}

/** For messages: `starting`, `running on timeline 2, 4096 B behind`. */
function stateOf(member: ClusterMember | undefined): string {
  if (!member) return "nothing of it";
  const { state, timeline, lagBytes } = member;
  if (!follows(state)) return state;
  const distance = lagBytes === undefined ? "an unknown distance" : `${lagBytes} B`;
  return `${state} on timeline ${timeline ?? "unknown"}, ${distance} behind`;
}

const STATUS = "pgherd status tells more.";

/**
 * Why the configuration must not be the cluster's before new members stream; nothing if it may.
 * @param staying members that are there already.
 */
export function whyNotJoin(
  joining: readonly string[],
  staying: readonly string[],
  configuration: { readonly [key: string]: unknown },
): string[] {
  const { synchronous_mode_strict: strict, synchronous_node_count: count } = configuration;
  if (joining.length === 0 || strict !== true || staying.length > Number(count ?? 1)) return [];
  return [
    `pgherd:cluster.replication: expected ${Number(count ?? 1)} replicas that confirm commits in the mode strict, found ${staying.length - 1} until ${joining.join(", ")} streams: ` +
      'nobody could write meanwhile. First add the members with mode: "synchronous" and run pulumi up; then choose strict and run it again.',
  ];
}

/** What becomes of those that leave, in plain words. @param data where each keeps its data. */
export function foreseeLeaving(
  { view, leaving, staying, gone, rules }: Omit<Departing, "configuration">,
  data: (member: string) => string,
): string[] {
  const leader = leaderOf(view);
  return leaving.map((name) => {
    if (gone.includes(name)) {
      return (
        `${name} is given up (pgherd:cluster.removed): it is asked nothing, and the other hosts let it in no more. ` +
        "Its data and its secrets stay on its disk"
      );
    }
    const choice = chooseLeader(
      { ...rules, neverLead: view?.neverLead ?? rules.neverLead, synchronous: false },
      "handover",
      (view?.members ?? []).filter((one) => staying.includes(one.name)),
    );
    const able = choice.able.map((one) => one.name).join(" or ");
    const confirms = view?.members.some((one) => one.name === name && isSynchronous(one));
    const first =
      name === leader
        ? `it leads: first a switchover to a member that stays (now ${able || "none"}; no writes for some seconds). Then it`
        : `${confirms ? "another one confirms commits in its place first. It " : "it "}`.trim();
    return (
      `${name} leaves: ${first} is drained in HAProxy, Patroni there is stopped and stays so, and its slot is dropped. ` +
      `Its data stays in ${data(name)} on ${name}`
    );
  });
}
