import { HealthError } from "../../errors";
import { systemIdentifierProbe } from "../../facts/patroni";
import { takeBackSettings } from "../operations/adoption";
import type { StandbyClusterInputs } from "../inputs/standby";
import { rulesCarried } from "./carried-rules";
import type { ResourceType } from "../../provider/resource";
import { isPromoted, untilFollowing } from "./standby-view";

/** The members, as they follow the old server: one streams from it, and the others from that one. */
export const standbyCluster: ResourceType<StandbyClusterInputs> = {
  identity: ["cluster", "host"],
  id: ({ cluster, host }) => `${cluster}/${host}/standby-cluster`,

  async check(context, inputs, oldInputs) {
    if (inputs.promotes || !oldInputs.promotes || !(await isPromoted(context, inputs))) return [];
    const reason =
      "pgherd:cluster.migration.until: expected cutOver, since the cluster has taken the old server's place, got an " +
      "earlier step. There is no way back: set it to cutOver again.";
    return [{ property: "", reason }];
  },

  async apply(context, urn, inputs) {
    if (await isPromoted(context, inputs)) return inputs;
    const leader = await untilFollowing(context, urn, inputs, inputs.maximumLag);
    const found = await context
      .host(leader)
      .observe(systemIdentifierProbe(inputs.members[leader] ?? ""));
    if (found !== inputs.systemIdentifier) {
      throw new HealthError(
        `${leader}: expected a copy of the database ${inputs.systemIdentifier} on ${inputs.host}, found ${found}.`,
        "Go back by pgherd:cluster.migration.rollback: true, and begin anew.",
      );
    }
    const members = Object.keys(inputs.members);
    await rulesCarried(context, members, inputs.memberPort, inputs.carried);
    // They have copied that too, and would go by it once they lead.
    for (const member of members) {
      await context
        .host(member)
        .change("taking back ALTER SYSTEM", takeBackSettings(inputs.memberPort));
    }
    return inputs;
  },

  async read(_context, _inputs, known) {
    return known;
  },

  /** The members themselves are stopped by their services. */
  async delete() {},
};
