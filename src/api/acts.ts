import type { Cluster } from "../cluster/cluster";
import { measured, whileMeasured, type Measured } from "../probe/measure";
import { duration } from "../probe/report";
import type { ApiOptions } from "./options";

/** Something that takes connections of its own and changes nothing. */
export async function looking<T>(
  { open }: ApiOptions,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const cluster = open("look", () => undefined);
  try {
    return await work(cluster);
  } finally {
    cluster.close();
  }
}

/** Something that changes the cluster, while nothing else does. */
export function acting<T>(
  { live, open }: ApiOptions,
  what: string,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T | object> {
  return live.act(what, async (say) => {
    const cluster = open(what, say);
    try {
      return (await work(cluster)) ?? {};
    } finally {
      cluster.close();
    }
  });
}

/** Something that takes nothing away from the cluster, so that whatever else is done need not wait for it: a backup. */
export async function beside<T>(
  { live, open }: ApiOptions,
  what: string,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  return live.noted(what, async (begun) => {
    const cluster = open(what, begun);
    try {
      const done = await work(cluster);
      begun();
      live.note(`${what} is done.`, "good");
      return done;
    } finally {
      cluster.close();
    }
  });
}

/** The same with what it cost those who write, by the probe that is running or one for this time. */
export async function measuring<T>(
  options: ApiOptions,
  what: string,
  work: (cluster: Cluster) => Promise<T>,
): Promise<object> {
  const { live } = options;
  const done = await live.act(what, (say) => {
    const cluster = options.open(what, say);
    const running = live.probing();
    const all = async () => work(cluster).finally(() => cluster.close());
    return running ? measured(running, all) : whileMeasured(() => options.probeTarget(), all);
  });
  live.note(`${what} is done. ${cost(done)}`, "good");
  const { result, interruption, unmeasured } = done;
  return { ...result, interruption, unmeasured };
}

function cost({ interruption, unmeasured }: Measured<unknown>): string {
  if (unmeasured !== undefined) return "How long writes stood still was not measured.";
  if (!interruption) return "No write was interrupted.";
  return `Writes stood still for ${duration(interruption.ms)}.`;
}
