import {
  clusterViewProbe,
  describeMembers,
  memberStatusProbe,
  type ClusterView,
  type MemberStatus,
} from "../facts/patroni";
import { CommandError } from "../errors";
import { follows, leaderOf, NO_ANSWER, serves } from "../facts/member-state";
import { takesWritesProbe } from "../facts/postgres";
import type { Probe } from "../host/host";
import { waitFor } from "../operations/wait";
import type { PatroniClusterInputs } from "../resources/inputs/patroni-cluster";
import type { Context } from "./context";

/** The cluster as the member sees it that knows most of it; nothing if none answers. */
export async function viewOf(
  context: Context,
  { members }: Pick<PatroniClusterInputs, "members">,
): Promise<ClusterView | undefined> {
  const answers = await Promise.all(
    Object.entries(members).map(
      async ([name, endpoint]): Promise<[string, ClusterView | undefined]> => [
        name,
        await context.host(name).observe(clusterViewProbe(endpoint)),
      ],
    ),
  );
  // A member that has just started may answer before it has seen the others.
  const [view] = answers
    .flatMap(([, answer]) => (answer ? [answer] : []))
    .sort((a, b) => b.members.length - a.members.length);
  // What the DCS holds of a member outlives it by the lease: it has to answer for itself.
  const silent = answers.filter(([, answer]) => !answer).map(([name]) => name);
  return (
    view && {
      ...view,
      members: view.members.map((member) =>
        silent.includes(member.name) ? { ...member, state: NO_ANSWER } : member,
      ),
    }
  );
}

/**
 * Waits until a member leads. Returns its name.
 * @throws HealthError if none does in time.
 */
export function untilLed(
  context: Context,
  urn: string,
  cluster: Pick<PatroniClusterInputs, "members">,
  { expected, seconds, next }: { expected: string; seconds: number; next: string },
): Promise<string> {
  return waitFor<string>(
    async () => {
      const view = await viewOf(context, cluster);
      const found = leaderOf(view);
      if (found) return { done: found };
      // Nobody is elected then (patroni/ha.py, is_healthiest_node).
      return view?.paused && !view.members.some(({ role }) => role === "leader")
        ? {
            hopeless: `${describeMembers(view)}; the cluster is paused, so Patroni makes nobody the leader`,
            next: "pgherd failover, or pgherd resume, then pulumi up again.",
          }
        : { missing: describeMembers(view) };
    },
    { expected, seconds, next, progress: (message) => context.progress(urn, message) },
  );
}

/** Whether PostgreSQL runs on the member, and streams if it is a replica. */
export function isFollowing(view: ClusterView | undefined, name: string): boolean {
  return follows(view?.members.find((member) => member.name === name)?.state ?? "");
}

/** Whether PostgreSQL runs on the member. */
export function isUp(view: ClusterView | undefined, name: string): boolean {
  return serves(view?.members.find((member) => member.name === name)?.state ?? "");
}

/** What each member's Patroni says of itself. */
export async function statusesOf(
  context: Context,
  { members }: Pick<PatroniClusterInputs, "members">,
): Promise<{ [member: string]: MemberStatus | undefined }> {
  const asked = Object.entries(members).map(
    async ([name, endpoint]): Promise<[string, MemberStatus | undefined]> => [
      name,
      await context.host(name).observe(memberStatusProbe(endpoint)),
    ],
  );
  return Object.fromEntries(await Promise.all(asked));
}

/** Those of these members whose servers are no replicas, as far as they answer. */
export async function whoTakesWrites(
  context: Context,
  port: number,
  names: readonly string[],
): Promise<string[]> {
  const probe = takesWritesProbe(port);
  const found = await Promise.all(
    names.map(async (name) => ((await context.host(name).observe(probe)) ? [name] : [])),
  );
  return found.flat();
}

/** psql(1), EXIT STATUS: "if the connection to the server went bad". */
const NO_CONNECTION = 2;

/**
 * What PostgreSQL on a member answers; nothing while it takes no connections. What Patroni has told of a member is up to
 * a round old: since then it may have stopped PostgreSQL, as it does for pg_rewind.
 * @param probe a call of psql.
 */
export async function askPostgres<T>(
  context: Context,
  member: string,
  probe: Probe<T>,
): Promise<T | undefined> {
  try {
    return await context.host(member).observe(probe);
  } catch (error) {
    if (error instanceof CommandError && error.code === NO_CONNECTION) return undefined;
    throw error;
  }
}

/** What the servers of the members on which PostgreSQL runs answer; nothing of one that takes no connections at the moment. */
export async function askServers<T>(
  context: Context,
  cluster: Pick<PatroniClusterInputs, "members">,
  probe: Probe<T>,
): Promise<{ [member: string]: T | undefined }> {
  const view = await viewOf(context, cluster);
  const asked = Object.keys(cluster.members)
    .filter((name) => isUp(view, name))
    .map(async (name): Promise<[string, T | undefined]> => [
      name,
      await askPostgres(context, name, probe),
    ]);
  return Object.fromEntries(await Promise.all(asked));
}
