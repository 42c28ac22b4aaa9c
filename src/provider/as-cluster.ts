import type { Cluster } from "../cluster/cluster";
import { dcsAt } from "../dcs/dcs";
import type { PatroniClusterInputs } from "../resources/inputs/patroni-cluster";
import type { Context } from "./context";

type ClusterInputs = Pick<
  PatroniClusterInputs,
  "cluster" | "members" | "port" | "synchronous" | "neverLead" | "rolling" | "balancers" | "dcs"
>;

/** The cluster of these inputs as src/cluster has it in hand: with members and balancers, for what changes these. */
export function clusterOf(context: Context, urn: string, inputs: ClusterInputs): Cluster {
  const { cluster, members, port, synchronous, neverLead, rolling, balancers } = inputs;
  const { hosts, statsPort } = balancers;
  return {
    plan: {
      name: cluster,
      patroni: { members, port, synchronous, neverLead, rolling },
      dcs: { kind: dcsAt(inputs.dcs).kind, members: {} },
      ...(hosts.length > 0 && { entryPoint: { hosts, vips: [], statsPort } }),
      ownDcs: [],
      firewalls: [],
    },
    host: (name) => context.host(name),
    progress: (message) => context.progress(urn, message),
  };
}
