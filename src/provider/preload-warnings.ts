import { preloadsProbe, type Preloads } from "../facts/preload";
import type { TrialInput } from "../resources/inputs/preflight";
import type { Context } from "./context";

/**
 * Warns of extensions that can be created and then do nothing, since their library is loaded at PostgreSQL's start only, each
 * once in a run. It is not preloaded unasked: that would restart a cluster which has lived without.
 * @param hosts members.
 * @param refused what has been found against the stack: what is named there is no warning as well.
 */
export async function warnOfPreloads(
  context: Context,
  urn: string,
  trial: TrialInput | null | undefined,
  hosts: readonly string[],
  refused: readonly string[],
): Promise<void> {
  if (!trial || trial.extensions.length === 0) return;
  const { version, extensions } = trial;
  const asked = hosts.map(async (host) => ({
    host,
    ...(await context.host(host).observe(preloadsProbe(version, extensions))),
  }));
  const known = await Promise.all(asked);
  for (const [extension, warning] of Object.entries(notPreloaded(trial, known))) {
    const key = `not preloaded: ${extension}`;
    const is = refused.some((reason) => reason.includes(` the extension ${extension} in `));
    if (is || context.told.has(key)) continue;
    context.told.add(key);
    context.warn(urn, warning);
  }
}

/** What is known of those that most want, from their documents, where no host has them yet. */
const BY_DOCUMENTS = ["pg_stat_statements", "pg_cron", "pgaudit", "timescaledb", "citus"];

/** Extensions whose library has to be preloaded and is not, each with a warning. Exported for its tests. */
export function notPreloaded(
  { settings, extensions, dataComes }: TrialInput,
  known: readonly (Preloads & { readonly host: string })[],
): { [extension: string]: string } {
  const loaded = loadedBy(settings.shared_preload_libraries ?? "");
  const unless = dataComes ? ", unless the server that the data comes from has it there" : "";
  const next = (library: string) =>
    `Add ${library} to postgresql.parameters.shared_preload_libraries${unless}, which restarts the members one by one.`;
  return Object.fromEntries(
    extensions.flatMap((extension) => {
      if (loaded.includes(extension)) return [];
      const place = `pgherd:cluster.postgresql.databases: the extension ${extension}`;
      const found = known
        .flatMap(({ host, preloaded }) => preloaded.map((one) => ({ host, ...one })))
        .find((one) => one.extension === extension && !loaded.includes(one.library));
      if (found) {
        const { host, library, says } = found;
        return [
          [
            extension,
            `${place} may do nothing, or not all of it: its library on ${host} says "${says}". ${next(library)}`,
          ],
        ];
      }
      if (!BY_DOCUMENTS.includes(extension)) return [];
      if (known.some(({ there }) => there.includes(extension))) return [];
      return [
        [
          extension,
          `${place} will not work: its library is loaded at PostgreSQL's start only. ${next(extension)}`,
        ],
      ];
    }),
  );
}

/** `auto_explain, "$libdir/pg_cron.so"` as what they are called. */
function loadedBy(value: string): string[] {
  return value
    .split(",")
    .map((one) => one.trim().replace(/^"|"$/g, "").replace(/^.*\//, "").replace(/\.so$/, ""));
}
