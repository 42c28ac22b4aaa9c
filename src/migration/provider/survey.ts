import { FactError, PgherdError } from "../../errors";
import { copyTargetProbe } from "../facts/adoption";
import { backupNamesProbe } from "../facts/backup-names";
import { sourceProbe } from "../facts/source";
import { reachesProbe, streamRightsProbe } from "../facts/standby";
import type { Source } from "../inputs/source";
import { LASTING_STEPS } from "../steps";
import type { SurveyInputs } from "../inputs/survey";
import type { Context } from "../../provider/context";
import { keptSource } from "./kept-source";
import type { ResourceType } from "../../provider/resource";
import { judgeStream } from "./stream-rules";
import { judgeSource, takenByOthers } from "./survey-rules";
import { libraryFile } from "./target-rules";

interface Learned {
  /** The server as it was before anything was changed. */
  readonly source: Source;
}

/** Looks anew until the server is adopted or followed; from then on what was found then counts. */
export const survey: ResourceType<SurveyInputs, Learned> = {
  identity: ["cluster", "host"],
  id: ({ cluster, host }) => `${cluster}/${host}/survey`,
  readOnly: true,

  async check(context, inputs, oldInputs) {
    const back = lostSteps(inputs, oldInputs);
    if (back.length > 0) return failures(back);
    try {
      const kept = await keptSource(context, inputs.keptOn);
      if (kept) return failures(await lateBackup(context, inputs, oldInputs, kept));
      const found = await context
        .host(inputs.host)
        .observe(sourceProbe(inputs.port, inputs.superuser));
      const files = [
        ...found.details.libraries.map((library) => libraryFile(library, inputs)),
        ...found.details.namedFiles,
        ...found.details.namedDirectories,
        ...found.details.copiedPlaces.map(({ path }) => path),
        ...(found.source.environmentFile ? [found.source.environmentFile] : []),
      ];
      const { namedGroups, tablespaces } = found.details;
      const directories = tablespaces.map(({ location }) => location);
      const targets = await Promise.all(
        Object.keys(inputs.others).map(async (name) => [
          name,
          await context
            .host(name)
            .observe(
              copyTargetProbe(inputs.dataDirectory, { files, directories, groups: namedGroups }),
            ),
        ]),
      );
      return failures([
        ...judgeSource(found, Object.fromEntries(targets), inputs),
        ...(await streamProblems(context, inputs)),
      ]);
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

function lostSteps({ steps }: SurveyInputs, { steps: before = [] }: Partial<SurveyInputs>) {
  const lost = before.filter((step) => LASTING_STEPS.includes(step) && !steps.includes(step));
  if (lost.length === 0) return [];
  return [
    `pgherd:cluster.migration.until: expected ${lost.at(-1)} or a later step, which was begun, got ${steps.at(-1)}: ` +
      "that would stop the cluster. The way back is pgherd:cluster.migration.rollback: true.",
  ];
}

/**
 * What stands in the way of backups that a migration under way is given. Once it has them, the names are the cluster's own.
 * Where something was taken at the beginning, the server tells whether it is still.
 */
async function lateBackup(
  context: Context,
  inputs: SurveyInputs,
  old: Partial<SurveyInputs>,
  { backupRoles = [], slots }: Source,
): Promise<string[]> {
  const { host, port, superuser } = inputs;
  if (old.backup || takenByOthers(backupRoles, slots, inputs).length === 0) return [];
  const now = await context.host(host).observe(backupNamesProbe(port, superuser));
  return takenByOthers(now.roles, now.slots, inputs).map((reason) => `${host}: ${reason}`);
}

/** What keeps the members from streaming from the server, where they are to. */
async function streamProblems(context: Context, inputs: SurveyInputs): Promise<string[]> {
  const { host, stream, others } = inputs;
  if (!stream) return [];
  const rights = await context.host(host).observe(streamRightsProbe(inputs, stream));
  const reached = await Promise.all(
    Object.keys(others).map(async (name): Promise<[string, boolean]> => [
      name,
      await context.host(name).observe(reachesProbe(stream.address, stream.port)),
    ]),
  );
  return judgeStream(host, rights, Object.fromEntries(reached), stream);
}

async function look(context: Context, inputs: SurveyInputs): Promise<Source> {
  const { host, port, superuser, keptOn } = inputs;
  const kept = await keptSource(context, keptOn);
  return kept ?? (await context.host(host).observe(sourceProbe(port, superuser))).source;
}
