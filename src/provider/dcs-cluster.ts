import { ConnectError } from "../errors";
import { dcsAt, dcsOf } from "../dcs/dcs";
import { grantRights, heldAccess } from "./dcs-rights";
import { defragment } from "../operations/defragment";
import type { Context } from "./context";
import { promoteLearners } from "./dcs-joining";
import { addressIn, refuseStrangers } from "./strangers";
import type { DcsClusterInputs } from "../resources/inputs/dcs-cluster";
import type { ResourceType } from "./resource";
import { waitFor } from "../operations/wait";

interface Learned {
  readonly clusterId: string;
}

/** An election takes seconds; a first start waits for the slowest host. */
const HEALTHY_SECONDS = 90;

export const dcsCluster: ResourceType<DcsClusterInputs, Learned> = {
  identity: ["cluster"],
  derived: ["former"],
  id: (inputs) => `${inputs.cluster}/${dcsOf(inputs).kind}`,

  async apply(context, urn, inputs) {
    const hosts = Object.keys(inputs.members);
    const { kind, unit } = dcsOf(inputs);
    // Without its rights pgherd could not ask who is healthy.
    await grantRights(context, urn, inputs);
    await waitFor(
      async () => {
        const healthy = Object.keys((await look(context, inputs))?.members ?? {});
        const absent = hosts.filter((host) => !healthy.includes(host));
        if (absent.length === 0) return { done: true };
        const [via] = healthy;
        if (via !== undefined) await promoteLearners(context, inputs, via);
        return { missing: `${absent.join(", ")} not healthy yet` };
      },
      {
        expected: `${kind} to be healthy on ${hosts.join(", ")}`,
        seconds: HEALTHY_SECONDS,
        next: `journalctl -u ${unit} -n 50 on the hosts named; can they reach each other on ${kind}'s peer port?`,
        progress: (message) => context.progress(urn, message),
      },
    );
    await keepVoters(context, urn, inputs);
    const found = await look(context, inputs);
    if (!found?.alarms.includes("NOSPACE")) return found ?? { ...inputs, clusterId: "" };
    const progress = (message: string) => context.progress(urn, message);
    await defragment(
      { host: (name) => context.host(name), progress },
      { kind, members: inputs.members },
    );
    return (await look(context, inputs, context.addresses())) ?? { ...inputs, clusterId: "" };
  },

  async foresee(_context, inputs, { alarms = [] }) {
    return alarms.includes("NOSPACE")
      ? [
          `${dcsOf(inputs).kind} is full and takes no writes: it is defragmented, one member at a time, and its alarm NOSPACE taken back`,
        ]
      : [];
  },

  async read(context, inputs, known) {
    // No answer from any member is trouble, not absence: then nothing is healthy, and the next update waits for it.
    return (await look(context, inputs)) ?? { ...inputs, members: {}, clusterId: known.clusterId };
  },

  /** The members themselves are stopped by their services, and keep their data. */
  async delete() {},
};

/** Leases that are held from the host of a voter go with him, while whoever holds them may still be at work. */
async function keepVoters(context: Context, urn: string, inputs: DcsClusterInputs): Promise<void> {
  const { kind, forgetting } = dcsOf(inputs);
  const [via = ""] = Object.keys(inputs.members);
  const host = context.host(via);
  if (!inputs.keepsVoters || !forgetting || !(await host.observe(forgetting.probe()))) return;
  context.progress(urn, `having ${kind} keep voters that are away`);
  await host.change(`having ${kind} keep voters that are away`, forgetting.end());
}

/**
 * The healthy members, as the first host sees them that gets an answer. One that cannot be reached shows by its own
 * resources.
 * @param coming addresses of hosts that may be on their way: what a run that was killed has recorded may not name them yet.
 * @throws HealthError if there is a member that is not the cluster's.
 */
async function look(
  context: Context,
  { cluster, access, keepsVoters, former, ...voters }: DcsClusterInputs,
  coming: readonly string[] = [],
): Promise<(DcsClusterInputs & Learned) | undefined> {
  const { kind, members } = voters;
  const dcs = dcsOf(voters);
  let unreachable: unknown;
  for (const name of Object.keys(members)) {
    try {
      const host = context.host(name);
      const healthy = await host.observe(dcs.healthyProbe());
      if (healthy.length === 0) continue;
      const membership = await host.observe(dcsAt({ kind, endpoints: healthy }).membershipProbe());
      refuseStrangers(
        cluster,
        { ...voters, members: { ...former, ...members } },
        membership.members.filter(({ peerUrl }) => !coming.includes(addressIn(peerUrl))),
      );
      const { alarms } = await host.observe(dcs.memberProbe(healthy[0] ?? ""));
      return {
        cluster,
        ...(kind && { kind }),
        alarms,
        ...(dcs.forgetting &&
          keepsVoters !== undefined && {
            keepsVoters: !(await host.observe(dcs.forgetting.probe())),
          }),
        clusterId: membership.clusterId,
        ...(former && { former }),
        members: Object.fromEntries(
          Object.entries(members).filter(([, url]) => healthy.includes(url)),
        ),
        ...(access && { access: await heldAccess(host, dcs, access) }),
      };
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      unreachable ??= error;
    }
  }
  if (unreachable) throw unreachable;
  return undefined;
}
