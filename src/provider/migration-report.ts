import { sourceProbe } from "../facts/source";
import { PgherdError } from "../errors";
import { renderReport } from "../operations/migration-report";
import type { MigrationReportInputs } from "../resources/inputs/survey";
import { keptSource } from "./kept-source";
import type { Context } from "./context";
import type { ResourceType } from "./resource";
import { migratedTrial, migratedWords, triedOn } from "./trial";

/** Tells what a migration will do, in the preview, as long as nothing of it has been done. */
export const migrationReport: ResourceType<MigrationReportInputs> = {
  identity: ["cluster", "host"],
  derived: ["source", "parameters"],
  id: ({ cluster, host }) => `${cluster}/${host}/report`,
  readOnly: true,

  async apply(context, urn, inputs) {
    if (!(await keptSource(context, inputs.keptOn))) {
      const { host, source, superuser } = inputs;
      // One that is only followed stays as it is.
      if (inputs.method === "adopt") await demandStart(context, urn, inputs);
      const found = await context.host(host).observe(sourceProbe(source.port, superuser));
      context.info(urn, `\n${renderReport(found, inputs)}`);
    }
    return inputs;
  },

  async read(_context, _inputs, known) {
    return known;
  },

  async delete() {},
};

/**
 * Nothing is stopped for a configuration that cannot start.
 * @throws PgherdError if the server would not start again with its own settings and the stack's. Where variables of its
 * environment are its own, a trial without them may fail for their want: that is only told.
 */
async function demandStart(
  context: Context,
  urn: string,
  { host, source, parameters }: MigrationReportInputs,
): Promise<void> {
  const trial = migratedTrial(source, parameters);
  const words = migratedWords("Nothing was touched.");
  const [reason] = await triedOn(context, host, trial, words);
  if (!reason) return;
  if (!source.environmentFile) throw new PgherdError(reason);
  context.warn(urn, `${reason} It was tried without ${source.environmentFile}.`);
}
