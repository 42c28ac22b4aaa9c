import { sourceProbe } from "../facts/source";
import { renderReport } from "../operations/migration-report";
import type { MigrationReportInputs } from "../resources/inputs";
import { keptSource } from "./kept-source";
import type { ResourceType } from "./resource";

/** Tells what a migration will do, in the preview, as long as nothing of it has been done. */
export const migrationReport: ResourceType<MigrationReportInputs> = {
  identity: ["cluster", "host"],
  id: ({ cluster, host }) => `${cluster}/${host}/report`,
  readOnly: true,

  async apply(context, urn, inputs) {
    if (!(await keptSource(context, inputs.keptOn))) {
      const { host, source, superuser } = inputs;
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
