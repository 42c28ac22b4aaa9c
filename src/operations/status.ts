import { healthyEndpointsProbe } from "../facts/etcd";
import { addressesHeldProbe, entrancesProbe, type Entrances } from "../facts/haproxy";
import { clusterViewProbe, type ClusterMember } from "../facts/patroni";
import type { Host, Probe } from "../host/host";

/** A cluster as it is now. Hosts that do not answer are listed, never left out. */
export interface ClusterStatus {
  readonly cluster: string;
  /** Whether there is a leader and everything that was asked answered and is up. */
  readonly healthy: boolean;
  readonly paused: boolean;
  readonly members: readonly ClusterMember[];
  readonly dcs: readonly { readonly host: string; readonly healthy: boolean }[];
  readonly loadBalancers: readonly {
    readonly host: string;
    readonly holdsVip: boolean;
    /** Members behind each entrance. */
    readonly entrances: Entrances;
  }[];
  /** What went wrong while asking, one sentence for each host. */
  readonly problems: readonly string[];
}

/** What the status is asked about. */
export interface StatusPlan {
  readonly name: string;
  readonly patroni: { readonly members: { readonly [host: string]: string } };
  readonly etcd: { readonly members: { readonly [host: string]: string } };
  readonly entryPoint?: {
    readonly hosts: readonly string[];
    readonly vips: readonly string[];
    readonly statsPort: number;
  };
}

/** Asks all hosts of a cluster at once. */
export async function observeStatus(
  plan: StatusPlan,
  host: (name: string) => Host,
): Promise<ClusterStatus> {
  const problems: string[] = [];
  const vips = plan.entryPoint?.vips ?? [];
  const ask = async <T>(name: string, probe: Probe<T>): Promise<T | undefined> => {
    try {
      return await host(name).observe(probe);
    } catch (error) {
      const message = (error as Error).message.split("\n")[0] ?? "";
      if (!problems.includes(message)) problems.push(message);
      return undefined;
    }
  };
  const [views, dcs, loadBalancers] = await Promise.all([
    Promise.all(
      Object.entries(plan.patroni.members).map(([name, endpoint]) =>
        ask(name, clusterViewProbe(endpoint)),
      ),
    ),
    Promise.all(
      Object.entries(plan.etcd.members).map(async ([name, url]) => ({
        host: name,
        healthy: ((await ask(name, healthyEndpointsProbe([url]))) ?? []).length === 1,
      })),
    ),
    Promise.all(
      (plan.entryPoint?.hosts ?? []).map(async (name) => ({
        host: name,
        holdsVip: ((await ask(name, addressesHeldProbe(vips))) ?? []).length > 0,
        entrances: (await ask(name, entrancesProbe(plan.entryPoint?.statsPort ?? 0))) ?? {},
      })),
    ),
  ]);
  const view = views
    .filter((one) => one !== undefined)
    .sort((a, b) => b.members.length - a.members.length)[0];
  const members = view?.members ?? [];
  const up = members.filter(({ state }) => ["running", "streaming"].includes(state));
  const holders = loadBalancers.filter(({ holdsVip }) => holdsVip).length;
  return {
    cluster: plan.name,
    healthy:
      problems.length === 0 &&
      up.length === Object.keys(plan.patroni.members).length &&
      up.some(({ role }) => role === "leader") &&
      dcs.every(({ healthy }) => healthy) &&
      (vips.length === 0 || holders === 1),
    paused: view?.paused ?? false,
    members,
    dcs,
    loadBalancers,
    problems,
  };
}
