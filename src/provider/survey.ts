import { FactError, PgherdError } from "../errors";
import { copyTargetProbe, keptSourceProbe } from "../facts/adoption";
import { sourceProbe } from "../facts/source";
import type { Source, SurveyInputs } from "../resources/inputs";
import type { Context } from "./context";
import type { ResourceType } from "./resource";
import { judgeSource, libraryFile } from "./survey-rules";

interface Learned {
  /** The server as it was before anything was changed. */
  readonly source: Source;
}

/** Looks anew until the server is adopted; from then on what was found then counts. */
export const survey: ResourceType<SurveyInputs, Learned> = {
  identity: ["cluster", "host"],
  id: ({ cluster, host }) => `${cluster}/${host}/survey`,
  readOnly: true,

  async check(context, inputs) {
    try {
      if (await context.host(inputs.host).observe(keptSourceProbe)) return [];
      const found = await context
        .host(inputs.host)
        .observe(sourceProbe(inputs.port, inputs.superuser));
      const files = [
        ...found.details.libraries.map((library) => libraryFile(library, inputs)),
        ...found.details.namedFiles,
      ];
      const directories = found.details.tablespaces.map(({ location }) => location);
      const targets = await Promise.all(
        Object.keys(inputs.others).map(async (name) => [
          name,
          await context
            .host(name)
            .observe(copyTargetProbe(inputs.dataDirectory, files, directories)),
        ]),
      );
      return failures(judgeSource(found, Object.fromEntries(targets), inputs));
    } catch (error) {
      if (!(error instanceof PgherdError)) throw error;
      return failures([
        error instanceof FactError ? `${inputs.host}: ${error.message}` : error.message,
      ]);
    }
  },

  async apply(context, _urn, inputs) {
    return { ...inputs, source: await look(context, inputs) };
  },

  async read(context, inputs, known) {
    // A server that is down is no reason to forget it: that shows elsewhere.
    const source = await look(context, inputs).catch(() => known.source);
    return { ...known, source };
  },

  async delete() {},
};

function failures(reasons: readonly string[]) {
  return reasons.map((reason) => ({ property: "", reason }));
}

async function look(context: Context, { host, port, superuser }: SurveyInputs): Promise<Source> {
  const kept = await context.host(host).observe(keptSourceProbe);
  return kept ?? (await context.host(host).observe(sourceProbe(port, superuser))).source;
}
