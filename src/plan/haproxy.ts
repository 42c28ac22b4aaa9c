import type { Settings } from "../config/schema";
import { addressOf } from "./addresses";
import { PATRONI_PORT } from "./patroni";
import { endpoint, render } from "./template";
import { timings } from "./timings";
import type { EntryPointPlan, ServicePlan } from "./types";

/** Which members each port leads to: the REST path that answers 200 only in that role. */
const ENTRANCES = [
  { name: "primary", check: "/primary" },
  { name: "replica", check: "/replica" },
  { name: "synchronous", check: "/sync" },
  { name: "asynchronous", check: "/async" },
] as const;

/** HAProxy on each load balancer. */
export function planHaproxyServices({ hosts, cluster }: Settings): ServicePlan[] {
  const balancers = cluster.loadBalancers;
  if (!balancers) return [];
  const members = cluster.members.map(({ host }) => {
    const address = addressOf(hosts, host);
    return {
      name: host,
      address: endpoint(address, cluster.postgresql.port),
      checkPort: PATRONI_PORT,
    };
  });
  const files = {
    "/etc/systemd/system/haproxy.service.d/pgherd.conf": {
      mode: "0644",
      owner: "root",
      group: "root",
      // Each connection has two ends; the rest is for checks, listeners and the statistics page.
      content: render("haproxy/unit.conf", { openFiles: 2 * balancers.maxConnections + 1000 }),
    },
    "/etc/haproxy/haproxy.cfg": {
      mode: "0640",
      owner: "root",
      group: "haproxy",
      content: render("haproxy/haproxy.cfg", {
        maxConnections: balancers.maxConnections,
        timings: timings(cluster.failover),
        statsPort: balancers.ports.stats,
        entrances: ENTRANCES.map((entrance) => ({
          ...entrance,
          port: balancers.ports[entrance.name],
        })),
        members,
      }),
    },
  };
  return balancers.hosts.map((host) => ({
    host,
    daemon: "haproxy",
    files,
    secretFiles: () => ({}),
    directories: {},
  }));
}

/** What clients connect to. */
export function planEntryPoint({ hosts, cluster }: Settings): EntryPointPlan | undefined {
  const balancers = cluster.loadBalancers;
  if (!balancers) return undefined;
  const vip = balancers.vip?.split("/")[0];
  return {
    hosts: balancers.hosts,
    addresses: vip ? [vip] : balancers.hosts.map((host) => addressOf(hosts, host)),
    vip,
    statsPort: balancers.ports.stats,
    ports: {
      primary: balancers.ports.primary,
      replica: balancers.ports.replica,
      synchronous: balancers.ports.synchronous,
      asynchronous: balancers.ports.asynchronous,
    },
  };
}
