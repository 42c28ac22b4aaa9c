import { readingSessionsProbe } from "../facts/haproxy";
import type { Host } from "../host/host";
import type { PatroniClusterInputs } from "../resources/inputs/patroni-cluster";
import { drainServers, readyServers } from "./haproxy";

/** Where the hosts of a cluster are to be had by name. */
export interface Hosts {
  host(name: string): Host;
}

export interface DrainOptions {
  readonly balancers: PatroniClusterInputs["balancers"];
  /** Seconds that sessions have to end by themselves. */
  readonly seconds: number;
  progress(message: string): void;
}

/** Takes a replica out of the balancers, lets its sessions end for a while, and takes it back in afterwards. */
export async function drained<T>(
  hosts: Hosts,
  member: string,
  { balancers, seconds, progress }: DrainOptions,
  work: () => Promise<T>,
): Promise<T> {
  const { entrances, statsPort } = balancers;
  const servers = entrances.map((entrance) => `${entrance}/${member}`);
  const onAll = (action: string, script: string) =>
    Promise.all(balancers.hosts.map((host) => hosts.host(host).change(action, script)));
  await onAll(`draining ${member}`, drainServers(servers));
  try {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const open = await Promise.all(
        balancers.hosts.map((host) =>
          hosts.host(host).observe(readingSessionsProbe(statsPort, member)),
        ),
      );
      const left = open.reduce<number>((sum, count) => sum + (count ?? 0), 0);
      // Where a balancer does not tell, there may be some.
      const known = open.every((count) => count !== undefined);
      if ((known && left === 0) || Date.now() >= end) break;
      progress(`draining ${member}: ${known ? left : `${left} or more`} sessions left`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    return await work();
  } finally {
    await onAll(`taking ${member} back in`, readyServers(servers));
  }
}
