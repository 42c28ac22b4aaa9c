import type { UpdateReportInputs } from "../resources/inputs/patroni-cluster";
import { foreseeCluster } from "./foresee-cluster";
import { clusterAsFound } from "./found-cluster";
import { judgeMembers } from "./judge-members";
import type { ResourceType } from "./resource";

/**
 * Tells what an update will do to the running members, and to users and databases, before anything else of a preview.
 * Changes nothing: the cluster's own resource does it, and shows what differs. Members that cannot come or go now are told of here,
 * since a look at the cluster tells it.
 */
export const updateReport: ResourceType<UpdateReportInputs> = {
  identity: ["cluster"],
  derived: ["configuration", "pendingRestart", "roles", "databases"],
  judged: ["members", "port", "neverLead", "leaderStays", "rolling"],
  id: ({ cluster }) => `${cluster}/report`,

  async check(context, inputs, oldInputs) {
    const reasons = await judgeMembers(context, inputs, oldInputs);
    return reasons.map((reason) => ({ property: "", reason }));
  },

  async apply(_context, _urn, inputs) {
    return inputs;
  },

  /** What touches the members; what somebody has changed in the database, the cluster's own resource tells. */
  async read(context, inputs, known) {
    const found = await clusterAsFound(context, inputs);
    if (!found) return known;
    const { configuration, pendingRestart } = found;
    return { ...known, configuration, pendingRestart };
  },

  foresee: foreseeCluster,

  async delete() {},
};
