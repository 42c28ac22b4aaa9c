import { PgherdError } from "../../errors";
import { dcsAt } from "../../dcs/dcs";
import { forgetCluster } from "../../dcs/patroni";
import { forgetOriginal } from "../operations/adoption";
import { askDcs } from "../../operations/dcs";
import { allowWrites, releaseWal } from "../operations/standby";
import { retireUnit } from "../../operations/units";
import type { StandbyRollbackInputs } from "../inputs/standby";
import type { ResourceType } from "../../provider/resource";
import { isPromoted } from "./standby-view";
import { keptSource } from "./kept-source";
import { patroni } from "../../roles/patroni";

/** The old server alone again: it takes writes, keeps no WAL, and the members that followed it are out of service. */
export const standbyRollback: ResourceType<StandbyRollbackInputs> = {
  identity: ["cluster", "host"],
  id: ({ cluster, host }) => `${cluster}/${host}/standby-rollback`,

  async check(context, inputs) {
    const { host } = inputs;
    try {
      const begun = await keptSource(context, Object.keys(inputs.members));
      if (!begun || !(await isPromoted(context, inputs))) return [];
      return failure(
        "pgherd:cluster.migration.rollback: expected the cluster to follow the old server still, found that it has taken " +
          `its place: rows that were written since are not on ${host}, and would be lost. Take it out again. Whoever ` +
          `wants ${host} back without them lets clients in there by hand; see docs/migration.md.`,
      );
    } catch (error) {
      if (!(error instanceof PgherdError)) throw error;
      return failure(error.message);
    }
  },

  async apply(context, urn, inputs) {
    const { cluster, host, slot, dcs } = inputs;
    const names = Object.keys(inputs.members);
    // Nothing was begun, or all of it has been taken back.
    if (!(await keptSource(context, names))) return inputs;
    await context.host(host).change("allowing writes again", allowWrites(inputs));
    context.progress(urn, `taking ${names.join(", ")} out of service`);
    await Promise.all(
      names.map((name) =>
        context.host(name).change("stopping Patroni", retireUnit(patroni.unit), {
          timeoutSeconds: 900,
        }),
      ),
    );
    await context.host(host).change("releasing the WAL", releaseWal(inputs, slot));
    await askDcs(context, [dcs.host, ...names], (one) =>
      one.change("forgetting the cluster", forgetCluster(dcsAt(dcs), cluster, "forgotten")),
    );
    for (const name of names) {
      await context.host(name).change("ending the rollback", forgetOriginal());
    }
    context.info(urn, `${host} stands alone again, as before the migration`);
    return inputs;
  },

  async read(_context, _inputs, known) {
    return known;
  },

  async delete() {},
};

function failure(reason: string) {
  return [{ property: "", reason }];
}
