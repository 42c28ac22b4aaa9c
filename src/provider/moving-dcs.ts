import { dcsAt, type DcsAddress, type Unnamed } from "../dcs/dcs";
import { MOVE, patroniKey } from "../dcs/patroni";
import { CommandError, ConnectError, HealthError } from "../errors";
import { unitAgeProbe } from "../facts/unit-age";
import type { MoveInput } from "../resources/inputs/move";
import { kindOf } from "../roles/dcs";
import { patroni } from "../roles/patroni";
import { ClusterKeys } from "./cluster-keys";
import type { Context } from "./context";

// Where a cluster is that moves from one DCS to another.

/** Whether a host's member is expected in this DCS, in which the cluster is on its way, and is not there. */
export async function isOnItsWay(
  context: Context,
  to: Unnamed<DcsAddress>,
  cluster: string,
  host: string,
): Promise<boolean> {
  return (await has(context, to, cluster, host, MOVE)) && !(await isIn(context, to, cluster, host));
}

/** Whether the move has begun, and not ended. */
export async function isUnderWay(
  context: Context,
  to: Unnamed<DcsAddress>,
  cluster: string,
  members: readonly string[],
): Promise<boolean> {
  return (await new ClusterKeys(context, to, cluster, members).value(MOVE)) !== undefined;
}

/** The members whose Patroni runs, and is not in this DCS. @throws HealthError of a host that gets no answer there */
export async function whoIsAway(
  context: Context,
  to: Unnamed<DcsAddress>,
  cluster: string,
  members: readonly string[],
): Promise<string[]> {
  const looks = await Promise.all(
    members.map(async (name) => {
      const age = await context.host(name).observe(unitAgeProbe(patroni.unit));
      return age !== undefined && !(await isIn(context, to, cluster, name)) ? [name] : [];
    }),
  );
  return looks.flat();
}

/** The members of which the old DCS knows, and the new one does not. Who cannot be asked shows by other questions. */
export async function whoIsLeftBehind(
  context: Context,
  { from, to }: MoveInput,
  cluster: string,
  members: readonly string[],
): Promise<string[]> {
  const looks = await Promise.all(
    members.map(async (name) => {
      try {
        const behind =
          (await isIn(context, from, cluster, name)) && !(await isIn(context, to, cluster, name));
        return behind ? [name] : [];
      } catch (error) {
        if (error instanceof HealthError || error instanceof ConnectError) return [];
        throw error;
      }
    }),
  );
  return looks.flat();
}

/** The members that a move takes along: those that are in the old DCS, and of which the new one, if it is there already, knows nothing. */
export async function whoMoves(
  context: Context,
  { from, to, members }: MoveInput & { readonly members: readonly string[] },
  cluster: string,
): Promise<string[]> {
  const known = (dcs: Unnamed<DcsAddress>, name: string) =>
    isIn(context, dcs, cluster, name).catch((error: unknown) => {
      if (error instanceof HealthError || error instanceof ConnectError) return false;
      throw error;
    });
  const looks = await Promise.all(
    members.map(async (name) =>
      (await known(from, name)) && !(await known(to, name)) ? [name] : [],
    ),
  );
  return looks.flat();
}

/** Whether the move has come to its end. */
export async function hasMoved(
  context: Context,
  { to, members }: MoveInput & { readonly members: readonly string[] },
  cluster: string,
): Promise<boolean> {
  try {
    const keys = new ClusterKeys(context, to, cluster, members);
    const { leader, [MOVE]: record } = await keys.values(["leader", MOVE]);
    return leader !== undefined && record === undefined;
  } catch {
    // One that is not there yet.
    return false;
  }
}

/** By the lease that its Patroni renews there. */
export function isIn(
  context: Context,
  dcs: Unnamed<DcsAddress>,
  cluster: string,
  member: string,
): Promise<boolean> {
  return has(context, dcs, cluster, member, `members/${member}`);
}

async function has(
  context: Context,
  dcs: Unnamed<DcsAddress>,
  cluster: string,
  host: string,
  name: string,
): Promise<boolean> {
  try {
    const probe = dcsAt(dcs).keyProbe(patroniKey(cluster, name));
    return (await context.host(host).observe(probe)) !== undefined;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new HealthError(
      `${host}: expected an answer from ${kindOf(dcs.kind)}, by which the cluster moves: ${error.message}`,
      "Mend that, then run pulumi up again. The cluster goes on; while it is paused nobody takes over.",
    );
  }
}
