import { HealthError } from "../../errors";
import { systemIdentifierProbe } from "../../facts/patroni";
import { settingsProbe } from "../../facts/settings";
import { takeBackSettings } from "../operations/adoption";
import type { StandbyClusterInputs } from "../inputs/standby";
import { rulesCarried } from "../../provider/carried-rules";
import type { ResourceType } from "../../provider/resource";
import { restartAnyway } from "../../operations/patroni";
import { filesWait } from "../../operations/settings";
import { isPromoted, untilFollowing } from "./standby-view";

const RESTART_SECONDS = 900;

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
    // Nobody is on them yet; once they lead the same restart would cut clients.
    for (const member of [...members.filter((name) => name !== leader), leader]) {
      const running = await context.host(member).observe(settingsProbe(inputs.memberPort));
      const waiting = filesWait(running);
      if (waiting.length === 0) continue;
      context.info(urn, `restarting PostgreSQL on ${member}: ${waiting.join(", ")}`);
      await context
        .host(member)
        .change("restarting PostgreSQL", restartAnyway(inputs.members[member] ?? ""), {
          timeoutSeconds: RESTART_SECONDS,
        });
      await untilFollowing(context, urn, inputs, inputs.maximumLag);
    }
    return inputs;
  },

  async read(_context, _inputs, known) {
    return known;
  },

  /** The members themselves are stopped by their services. */
  async delete() {},
};
