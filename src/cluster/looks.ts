import {
  askHost,
  assembleStatus,
  hostsToAsk,
  type ClusterStatus,
  type HostAnswer,
} from "../operations/status";
import type { Cluster } from "./cluster";

/** A host that takes longer is told as silent; its answer still counts when it comes. */
export const PATIENCE_MS = 2500;

/** Looks at a cluster, one after the other, where a host that was away in the last one is not waited for in the next. */
export class Looks {
  private readonly latest = new Map<string, HostAnswer>();
  private readonly asking = new Map<string, Promise<void>>();

  constructor(private readonly cluster: Pick<Cluster, "plan" | "host">) {}

  async look(): Promise<ClusterStatus> {
    const { plan, host } = this.cluster;
    const names = hostsToAsk(plan);
    for (const name of names) if (!this.asking.has(name)) this.ask(name, host(name));
    const awaited = names.filter((name) => this.latest.get(name)?.problem === undefined);
    await patiently(awaited.map((name) => this.asking.get(name)));
    for (const name of awaited) if (this.asking.has(name)) this.latest.set(name, silence(name));
    const answers = names.flatMap((name) => this.latest.get(name) ?? []);
    return assembleStatus(plan, answers, new Date());
  }

  private ask(name: string, host: ReturnType<Cluster["host"]>): void {
    const asking = askHost(this.cluster.plan, name, host).then((answer) => {
      this.latest.set(name, answer);
      this.asking.delete(name);
    });
    this.asking.set(name, asking);
  }
}

/** That a host has not answered in time. */
export function silence(host: string): HostAnswer {
  return { host, problem: `${host}: no answer for ${PATIENCE_MS / 1000} s.` };
}

async function patiently(work: readonly (Promise<void> | undefined)[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)));
  await Promise.race([Promise.all(work), late]);
  clearTimeout(timer);
}
