import { NO_EXTENSION, NOBODY, trialProbe } from "../facts/trial";
import type { TrialInput } from "../resources/inputs/preflight";
import type { Source } from "../migration/inputs/source";
import type { Context } from "./context";

/** Whose settings are tried, and what is to be done where they keep a server from starting. */
export interface TrialWords {
  /** `pgherd:cluster.postgresql says` */
  readonly what: string;
  readonly next: string;
}

/**
 * What keeps a server on this host from starting so, in a sentence; none if it starts.
 * @param created extensions that the stack had before: they are there by now, most likely.
 */
export async function triedOn(
  context: Context,
  host: string,
  trial: TrialInput,
  words: TrialWords,
  created: readonly string[] = [],
): Promise<string[]> {
  const { settings, hba, databases = {} } = trial;
  if (Object.keys(settings).length + hba.length + Object.keys(databases).length === 0) return [];
  const said = await context.host(host).observe(trialProbe(trial));
  const ofExtensions = said.filter((line) => line.startsWith(NO_EXTENSION));
  const ofServer = said.filter((line) => !ofExtensions.includes(line));
  return [
    ...described(host, trial, ofServer, words),
    ...describeExtensions(host, ofExtensions, created),
  ];
}

/**
 * Extensions that cannot be created, in the server's words. One that was there before needs no creating, but a library that is
 * not loaded is missed all the same. Exported for its tests.
 */
export function describeExtensions(
  host: string,
  said: readonly string[],
  created: readonly string[],
): string[] {
  return said.flatMap((line) => {
    const [, extension = "", database, words = ""] =
      /^no extension (\S+) in (.*?): (.*)$/.exec(line) ?? [];
    const unloaded = /preload/i.test(words);
    if (created.includes(extension) && !unloaded) return [];
    const remedy = unloaded
      ? "Add its library to pgherd:cluster.postgresql.parameters.shared_preload_libraries, or take it out of databases."
      : "Mend pgherd:cluster.postgresql.databases, or what the host lacks.";
    return [
      `${host}: expected PostgreSQL to create the extension ${extension} in the database ${database}, it refuses: ${words}. ${remedy}`,
    ];
  });
}

/** The server's words, with the user's own line in place of its number in a file of the trial. Exported for its tests. */
export function described(
  host: string,
  { hba }: TrialInput,
  said: readonly string[],
  { what, next }: TrialWords,
): string[] {
  if (said.length === 0) return [];
  const words = said
    .map((line) => line.replace(/\/tmp\/pgherd-trial\.\w+\/data\//g, ""))
    .filter((line) => !/^configuration file ".*" contains errors$/.test(line))
    .map((line) => {
      // Before the user's lines stands one of the trial's own.
      const at = /^line (\d+) of configuration file "pg_hba\.conf"$/.exec(line)?.[1];
      return at === undefined ? line : `line "${hba[Number(at) - 2] ?? ""}"`;
    });
  const shut = words.every((line) => line.startsWith(NOBODY));
  const reasons = words
    .map((line) => line.replace(NOBODY, ""))
    .join("; ")
    .replace(/\.$/, "");
  const wanted = shut ? "to let anybody in" : "to start";
  return [
    `${host}: expected PostgreSQL ${wanted} with what ${what}, it does not: ${reasons}. ${next}`,
  ];
}

/** All settings that a migrated server will be started with, from its own files and from the stack. */
export function migratedTrial(
  { version, dataDirectory, binDirectory }: Source,
  parameters: { readonly [name: string]: string },
): TrialInput {
  return { version, dataDirectory, binDirectory, settings: parameters, hba: [], extensions: [] };
}

/** @param next what comes of it. */
export function migratedWords(next: string): TrialWords {
  return {
    what: "its own files and pgherd:cluster.postgresql.parameters say together",
    next: `It would not come back from a restart. Mend it there or in the stack. ${next}`,
  };
}
