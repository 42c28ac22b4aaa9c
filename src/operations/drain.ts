import { readingSessionsProbe, serversProbe } from "../facts/haproxy";
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
  options: DrainOptions,
  work: () => Promise<T>,
): Promise<T> {
  const { entrances, hosts: balancers } = options.balancers;
  const servers = entrances.map((entrance) => `${entrance}/${member}`);
  const onAll = (action: string, script: string) =>
    Promise.all(balancers.map((host) => hosts.host(host).change(action, script)));
  await onAll(`draining ${member}`, drainServers(servers));
  try {
    await untilIdle(hosts, member, options);
    return await work();
  } finally {
    await onAll(`taking ${member} back in`, readyServers(servers));
  }
}

/** Takes a replica out of the balancers for good, as far as they know it, and lets its sessions end for a while. */
export async function drainedOut(
  hosts: Hosts,
  member: string,
  options: DrainOptions,
): Promise<void> {
  const { entrances, hosts: balancers, statsPort } = options.balancers;
  await Promise.all(
    balancers.map(async (name) => {
      const host = hosts.host(name);
      const servers = (await host.observe(serversProbe(statsPort)))
        .filter(({ entrance, server }) => server === member && entrances.includes(entrance))
        .map(({ entrance }) => `${entrance}/${member}`);
      if (servers.length > 0) await host.change(`draining ${member}`, drainServers(servers));
    }),
  );
  await untilIdle(hosts, member, options);
}

async function untilIdle(
  hosts: Hosts,
  member: string,
  { balancers, seconds, progress }: DrainOptions,
): Promise<void> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const open = await Promise.all(
      balancers.hosts.map((host) =>
        hosts.host(host).observe(readingSessionsProbe(balancers.statsPort, member)),
      ),
    );
    const left = open.reduce<number>((sum, count) => sum + (count ?? 0), 0);
    // Where a balancer does not tell, there may be some.
    const known = open.every((count) => count !== undefined);
    if ((known && left === 0) || Date.now() >= end) return;
    progress(`draining ${member}: ${known ? left : `${left} or more`} sessions left`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
