import { hostProbe } from "../../facts/host";
import { HIDDEN } from "../../facts/secrets";
import { ALWAYS_SET, isAltered, waitingSettingsProbe, type WaitingSetting } from "../facts/source";
import { tooLarge } from "../../operations/memory-to-start";
import { toBeRun } from "../../operations/remedies";
import type { TrialInput } from "../../resources/inputs/preflight";
import type { Source } from "../inputs/source";
import type { Context } from "../../provider/context";
import { migratedTrial, triedOn, type TrialWords } from "../../provider/trial";

// Whether a server that is to be migrated, and its copies, would start again.

/** The server whose files are tried. */
interface OwnServer {
  readonly host: string;
  readonly source: Source;
  readonly superuser: string;
  /** Where it is only followed: what Patroni starts its copies with. ALTER SYSTEM's file lies in the data, and comes too. */
  readonly copiesWith?: { readonly [name: string]: string };
}

/**
 * Why the server would not start by itself with what its files say and it does not run with; nothing if it would. It starts so
 * after a crash of its host, and at the end of a rollback.
 * @param next what comes of it.
 */
export async function ownProblems(
  context: Context,
  { host, source, superuser, copiesWith }: OwnServer,
  next: string,
): Promise<string[]> {
  const found = await context.host(host).observe(waitingSettingsProbe(source.port, superuser));
  const waiting = copiesWith
    ? found.filter(({ name, from }) => isAltered(from) && !ALWAYS_SET.includes(name))
    : found;
  if (waiting.length === 0) return [];
  const trial = ownTrial(source, copiesWith ?? source.configured, waiting);
  const words = ownWords(waiting, next);
  const large = waiting.some(({ name }) => name === "shared_buffers")
    ? (await tooLargeOn(context, [host], trial)).map((reason) => `${reason} ${words.next}`)
    : [];
  return [...large, ...(await triedOn(context, host, trial, words))];
}

/** Hosts that have not the memory for these settings. */
export async function tooLargeOn(
  context: Context,
  hosts: readonly string[],
  trial: Pick<TrialInput, "settings">,
): Promise<string[]> {
  const reasons = await Promise.all(
    hosts.map(async (host) =>
      tooLarge(trial, { host, facts: await context.host(host).observe(hostProbe()) }),
    ),
  );
  return reasons.flat();
}

/** Where a server has what it has: a trial has its own. */
const PLACES = /^(data_directory|(config|hba|ident|external_pid)_file)$/;

/** What a server would start with, where its files say more than it runs with. @param waiting which of it. */
function ownTrial(
  source: Source,
  configured: Source["configured"],
  waiting: readonly WaitingSetting[],
): TrialInput {
  const said = {
    ...configured,
    ...Object.fromEntries(waiting.map(({ name, file }) => [name, file])),
  };
  const settings = Object.fromEntries(
    Object.entries(said).filter(([name, value]) => !PLACES.test(name) && value !== HIDDEN),
  );
  return migratedTrial(source, settings);
}

/** What to do about settings that keep a server from starting, none of which it runs with. */
function ownWords(waiting: readonly WaitingSetting[], next: string): TrialWords {
  const altered = waiting.filter(({ from }) => isAltered(from));
  const mended = [
    ...(altered.length > 0
      ? [
          `Run there: ${toBeRun(altered.map(({ name }) => `ALTER SYSTEM RESET ${name};`).join(" "))}`,
        ]
      : []),
    ...waiting
      .filter(({ from }) => !isAltered(from))
      .map(({ name, from }) => `Mend ${name} in ${from}.`),
  ];
  const told = waiting.map(({ name, file }) => `${name} = ${file}`).join(", ");
  return {
    what: `its own files say, of which it does not run with ${told}`,
    next: `It would not come back from a restart, nor its copies. ${mended.join(" ")} ${next}`,
  };
}
