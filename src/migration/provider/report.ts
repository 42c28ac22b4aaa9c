import { sourceProbe } from "../facts/source";
import { PgherdError } from "../../errors";
import { renderReport } from "../operations/report";
import type { MigrationReportInputs } from "../inputs/survey";
import { keptSource } from "./kept-source";
import type { Context } from "../../provider/context";
import type { ResourceType } from "../../provider/resource";
import { ownProblems, tooLargeOn } from "./migrated-start";
import { migratedTrial, migratedWords, triedOn } from "../../provider/trial";

/** Tells what a migration will do, in the preview, as long as nothing of it has been done. */
export const migrationReport: ResourceType<MigrationReportInputs> = {
  identity: ["cluster", "host"],
  derived: ["source", "parameters"],
  id: ({ cluster, host }) => `${cluster}/${host}/report`,
  readOnly: true,

  async apply(context, urn, inputs) {
    if (!(await keptSource(context, inputs.keptOn))) {
      const { host, source, superuser } = inputs;
      await demandStart(context, urn, inputs);
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
 * @throws PgherdError if the server or a copy of it would not start again, with its own settings and the stack's, or with its
 * own files alone. Where variables of its environment are its own, a trial without them may fail for their want: that is
 * only told. One that is only followed stays as it is, but for what its copies take of it.
 */
async function demandStart(
  context: Context,
  urn: string,
  { host, source, superuser, parameters, method, others }: MigrationReportInputs,
): Promise<void> {
  const adopts = method === "adopt";
  const trial = migratedTrial(source, parameters);
  const [large, own, migrated] = await Promise.all([
    tooLargeOn(context, adopts ? [host, ...others] : others, trial),
    ownProblems(
      context,
      { host, source, superuser, ...(adopts ? {} : { copiesWith: parameters }) },
      NEXT,
    ),
    adopts ? triedOn(context, host, trial, migratedWords(NEXT)) : [],
  ]);
  const tried = [...own, ...migrated];
  const sure = source.environmentFile ? large : [...large, ...tried];
  if (sure.length > 0) throw new PgherdError(sure.join("\n"));
  for (const reason of tried) {
    context.warn(urn, `${reason} It was tried without ${source.environmentFile}.`);
  }
}

const NEXT = "Nothing was touched.";
