import { progressLine } from "./ask";
import { openCluster, type OpenCluster, type StackOptions } from "./cluster";

/** Opens the cluster for one verb, shows what is waited for, and closes it whatever comes. */
export async function during(
  verb: string,
  options: StackOptions,
  work: (cluster: OpenCluster) => Promise<void>,
): Promise<void> {
  const line = progressLine();
  const cluster = openCluster(options, verb, (message) => line.say(message));
  try {
    await work(cluster);
  } finally {
    line.done();
    cluster.close();
  }
}

/** Prints what came of a verb: as JSON, or in sentences. */
export function report(json: boolean | undefined, outcome: object, ...sentences: string[]): void {
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  process.stdout.write(
    json ? `${JSON.stringify(outcome, null, 2)}\n` : sentences.map((one) => `${one}\n`).join(""),
  );
}
