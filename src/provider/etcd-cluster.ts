import { healthyEndpointsProbe, membershipProbe } from "../facts/etcd";
import type { Context } from "./context";
import type { EtcdClusterInputs } from "../resources/inputs";
import type { ResourceType } from "./resource";
import { waitFor } from "./wait";

interface Learned {
  readonly clusterId: string;
}

/** An election takes seconds; a first start waits for the slowest host. */
const HEALTHY_SECONDS = 90;

export const etcdCluster: ResourceType<EtcdClusterInputs, Learned> = {
  identity: ["cluster"],
  id: ({ cluster }) => `${cluster}/etcd`,

  async apply(context, urn, inputs) {
    const hosts = Object.keys(inputs.members);
    await waitFor(
      async () => {
        const healthy = Object.keys((await look(context, inputs))?.members ?? {});
        const absent = hosts.filter((host) => !healthy.includes(host));
        return absent.length === 0
          ? { done: true }
          : { missing: `${absent.join(", ")} not healthy yet` };
      },
      {
        expected: `etcd to be healthy on ${hosts.join(", ")}`,
        seconds: HEALTHY_SECONDS,
        next: "journalctl -u etcd -n 50 on the hosts named; can they reach each other on etcd's peer port?",
        progress: (message) => context.progress(urn, message),
      },
    );
    return (await look(context, inputs)) ?? { ...inputs, clusterId: "" };
  },

  async read(context, inputs, known) {
    // No answer from any member is trouble, not absence: then nothing is healthy, and the next update waits for it.
    return (await look(context, inputs)) ?? { ...inputs, members: {}, clusterId: known.clusterId };
  },

  /** The members themselves are stopped by their services, and keep their data. */
  async delete() {},
};

/** The healthy members, as the first host sees them that gets an answer. */
async function look(
  context: Context,
  { cluster, members }: EtcdClusterInputs,
): Promise<(EtcdClusterInputs & Learned) | undefined> {
  const endpoints = Object.values(members);
  const [first = ""] = Object.keys(members);
  const host = context.host(first);
  const healthy = await host.observe(healthyEndpointsProbe(endpoints));
  if (healthy.length === 0) return undefined;
  const { clusterId } = await host.observe(membershipProbe(healthy));
  return {
    cluster,
    clusterId,
    members: Object.fromEntries(Object.entries(members).filter(([, url]) => healthy.includes(url))),
  };
}
