import { conditionOf, NO_ANSWER, serves, type Condition } from "../facts/member-state";
import type { ClusterMember, ClusterView } from "../facts/patroni";
import { asksInVain } from "./settings";
import type { HostAnswer, StatusPlan } from "./status";

/** A member as several views together show it. */
export interface MemberState extends ClusterMember {
  /** What its PostgreSQL can do. */
  readonly condition: Condition;
  /** Its host could not be asked from here: what is told of it, others tell. */
  readonly unasked?: true;
  /** Load balancers whose checks of it succeed, where the host itself could not be asked: `["lb1", "lb2"]`. */
  readonly seenBy?: readonly string[];
  /** Seconds between a commit and its replay here; absent for the leader and where it is not known. */
  readonly lagSeconds?: number;
  /** How the server that it streams from counts it: `sync`, `quorum`, `potential`, `async`. */
  readonly syncState?: string;
  /** The member that it streams from. */
  readonly upstream?: string;
}

/**
 * The members, each by the best that is known of it: what it says itself; if its host cannot be asked from here, what
 * the load balancers' checks and the other members show. What nothing shows is unknown.
 */
export function membersOf(
  plan: Pick<StatusPlan, "patroni">,
  answers: readonly HostAnswer[],
  view: ClusterView | undefined,
): MemberState[] {
  const known = view?.members ?? [];
  const planned = Object.keys(plan.patroni.members);
  const names = [...known.map(({ name }) => name), ...planned];
  return [...new Set(names)]
    .map((name) => {
      const entry = known.find((member) => member.name === name);
      const answer = answers.find(({ host }) => host === name);
      const seen = !planned.includes(name) && entry ? entry : memberOf(name, entry, answer);
      const member = withWitnesses(seen, entry, answers, view !== undefined);
      const condition = conditionOf(member.state);
      const unasked = planned.includes(name) && (!answer || answer.problem !== undefined);
      return {
        ...member,
        condition,
        ...(unasked && { unasked: true as const }),
        ...(condition === "silent" ? {} : streamOf(plan, member, answers)),
      };
    })
    .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

type Seen = ClusterMember & Pick<MemberState, "seenBy">;
type Unasked = Omit<ClusterMember, "state"> & { readonly state?: undefined };

/** A member as it tells of itself; without a state if its host could not be asked. */
function memberOf(
  name: string,
  entry: ClusterMember | undefined,
  answer: HostAnswer | undefined,
): ClusterMember | Unasked {
  const nothing = { name, role: "unknown", pendingRestart: false };
  if (!answer || answer.problem !== undefined) return { ...(entry ?? nothing), state: undefined };
  // What the DCS holds of a member outlives it by the lease: it has to answer for itself.
  if (!answer.view) return { ...(entry ?? nothing), state: NO_ANSWER };
  const { state, replication } = answer.member ?? {};
  const told = entry?.state ?? "";
  // The view of the cluster is a round of Patroni old.
  return {
    ...(entry ?? nothing),
    timeline: answer.streams?.timeline ?? entry?.timeline,
    state: state === "running" ? (replication ?? (serves(told) ? told : state)) : (state ?? told),
    pendingRestart: answer.member
      ? answer.member.pendingRestart && !asksInVain(answer.member, answer.loaded ?? {})
      : (entry?.pendingRestart ?? false),
  };
}

/** A member whose host could not be asked, as the others see it. */
function withWitnesses(
  member: ClusterMember | Unasked,
  entry: ClusterMember | undefined,
  answers: readonly HostAnswer[],
  othersTell: boolean,
): Seen {
  if (member.state !== undefined) return member;
  const { name } = member;
  const leads = witnesses(answers, name, true);
  const reads = witnesses(answers, name, false);
  const role =
    entry?.role ?? (leads.length > 0 ? "leader" : reads.length > 0 ? "replica" : "unknown");
  const seenBy = role === "leader" ? leads : reads;
  if (seenBy.length > 0) {
    return {
      ...member,
      role,
      seenBy,
      state: entry && serves(entry.state) ? entry.state : "running",
    };
  }
  // Its entry in the DCS goes with its lease: nobody has heard of it for that long.
  if (!entry) return { ...member, role, state: othersTell ? NO_ANSWER : "unknown" };
  return { ...member, role, state: serves(entry.state) ? "unknown" : entry.state };
}

/** Balancers whose checks of the member's Patroni succeed, for writes or for reads. */
function witnesses(answers: readonly HostAnswer[], member: string, writes: boolean): string[] {
  return answers
    .filter(({ servers = [] }) =>
      servers.some(
        ({ entrance, server, status }) =>
          server === member && status.startsWith("UP") && (entrance === "primary") === writes,
      ),
    )
    .map(({ host }) => host);
}

/** How a member streams, as the server says that it streams from; where that one cannot be asked, as it says itself. */
function streamOf(
  plan: Pick<StatusPlan, "patroni">,
  { name, role, lagBytes }: ClusterMember,
  answers: readonly HostAnswer[],
): Pick<MemberState, "lagBytes" | "lagSeconds" | "syncState" | "upstream"> {
  if (role === "leader") return {};
  for (const { host, streams } of answers) {
    const stream = streams?.standbys.find((standby) => standby.name === name);
    if (!stream) continue;
    return {
      // Patroni's own figure is as old as its last round.
      lagBytes: stream.lagBytes ?? lagBytes,
      lagSeconds: stream.lagSeconds,
      syncState: stream.syncState,
      upstream: host,
    };
  }
  const { sender } = answers.find(({ host }) => host === name)?.streams ?? {};
  const upstream = sender === undefined ? undefined : memberAt(plan, sender);
  const told = answers.some(({ host, streams }) => host === upstream && streams !== undefined);
  return { lagBytes, ...(upstream !== undefined && !told && { upstream }) };
}

/** The member whose Patroni, and so whose PostgreSQL, has this address. */
function memberAt({ patroni }: Pick<StatusPlan, "patroni">, address: string): string | undefined {
  const found = Object.entries(patroni.members).find(
    ([, endpoint]) => endpoint.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1") === address,
  );
  return found?.[0];
}
