import { words } from "../host/shell";
import { progressLine } from "./ask";
import { openCluster, type OpenCluster, type StackOptions } from "./cluster";
import { recorded } from "./record";

/** Opens the cluster for one verb, shows what is waited for, records what came of it, and closes it in any case. */
export async function during(
  verb: string,
  options: StackOptions,
  work: (cluster: OpenCluster) => Promise<void>,
): Promise<void> {
  const line = progressLine();
  const cluster = openCluster(options, verb, (message) => line.say(message));
  try {
    const looks = LOOKS.includes(verb) || "plan" in options;
    if (looks) await work(cluster);
    else await recorded(options.stack, words(process.argv.slice(2)), () => work(cluster));
  } finally {
    line.done();
    cluster.close();
  }
}

/** Verbs that change nothing, or record it themselves. */
const LOOKS = ["history", "superuser session"];

/** Prints what came of a verb: as JSON, or in sentences. */
export function report(json: boolean | undefined, outcome: object, ...sentences: string[]): void {
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  process.stdout.write(
    json ? `${JSON.stringify(outcome, null, 2)}\n` : sentences.map((one) => `${one}\n`).join(""),
  );
}
