import { labExec } from "../src/lab/exec";
import { LAB } from "./sizes";

/** A command that runs in the lab's network. */
export interface Command {
  readonly argv: readonly string[];
  readonly env?: { readonly [name: string]: string };
}

/** What a command printed, and how long it took from start to end. */
export interface Finished {
  readonly output: string;
  readonly seconds: number;
}

/**
 * Runs a command and takes its time.
 * @throws PgherdError with the end of what it printed, when its exit code is not 0
 */
export async function run({ argv, env }: Command): Promise<Finished> {
  const start = performance.now();
  const output = await labExec(LAB, ["sh", "-c", 'exec "$@" 2>&1', "sh", ...argv], { env });
  return { output, seconds: (performance.now() - start) / 1000 };
}
