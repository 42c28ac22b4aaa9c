import { existsSync, readFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { z } from "zod";
import { linesTo } from "../api/audit";
import { UsageError } from "../errors";
import { Refusal } from "../cluster/cluster";
import { recordFile, recordFiles } from "./serve-options";

/** Something that was done to a cluster by a verb. */
const deed = z.object({
  /** When it began. */
  at: z.string(),
  /** Who: `anna@desk`. */
  by: z.string(),
  /** `switchover --to db2`; no secret is ever an argument of a verb that is recorded. */
  what: z.string(),
  /** `done`, or the first line of why it failed. */
  outcome: z.string(),
  seconds: z.number(),
});

type Deed = z.infer<typeof deed>;

/** Who is at work: `anna@desk`. */
export function whoami(): string {
  return `${userInfo().username}@${hostname()}`;
}

function fileOf(stack: string): string {
  return recordFile(stack, "verbs");
}

/**
 * Does something and records it with what came of it. What was refused has changed nothing, and is not recorded.
 * @param what in the words of the command line, without a secret.
 */
export async function recorded<T>(stack: string, what: string, work: () => Promise<T>): Promise<T> {
  const begun = Date.now();
  const tell = (outcome: string) =>
    write(stack, {
      at: new Date(begun).toISOString(),
      by: whoami(),
      what,
      outcome,
      seconds: Math.round((Date.now() - begun) / 100) / 10,
    });
  try {
    const result = await work();
    tell("done");
    return result;
  } catch (error) {
    const nothingDone = error instanceof Refusal || error instanceof UsageError;
    if (!nothingDone) tell(`failed: ${String((error as Error).message).split("\n")[0]}`);
    throw error;
  }
}

/** Who operates a cluster at night is not kept from it by a full disk of his own; he is told. */
function write(stack: string, entry: Deed): void {
  try {
    linesTo<Deed>(fileOf(stack), "the record of verbs")(entry);
  } catch (error) {
    process.stderr.write(`This was not recorded: ${(error as Error).message}\n`);
  }
}

/** @throws PgherdError if nothing can be recorded */
export function requireRecord(stack: string): string {
  linesTo<Deed>(fileOf(stack), "the record of verbs");
  return fileOf(stack);
}

/** What verbs have done to a stack from this machine, the oldest first. */
export function deeds(stack: string): Deed[] {
  return recordFiles(stack, "verbs").flatMap((file) => readLines(file, deed));
}

/** The lines of JSON in a file and in the one that was put aside before it, those that are of a kind. */
export function readLines<Kind extends z.ZodType>(file: string, kind: Kind): z.output<Kind>[] {
  return [`${file}.1`, file].filter(existsSync).flatMap((one) =>
    readFileSync(one, "utf8")
      .split("\n")
      .filter(Boolean)
      .flatMap((line) => {
        try {
          return [kind.parse(JSON.parse(line))];
        } catch {
          // The last line of a machine that lost power.
          return [];
        }
      }),
  );
}
