import { replicationMode } from "../config/replication-modes";
import type { ClusterSettings, Settings } from "../config/schema";
import { bytesOf } from "../config/size";
import { timings, type Checks } from "../config/timings";
import { haproxy } from "../roles/haproxy";
import { PATRONI_PORT } from "../roles/patroni";
import { addressOf } from "./addresses";
import { endpoint, render } from "./template";
import type { EntryPointPlan, ServicePlan } from "./types";

/** The ports for clients, by the role of the members that they lead to. */
export const ENTRANCES = ["primary", "replica", "synchronous", "asynchronous"] as const;
type Entrance = (typeof ENTRANCES)[number];

/** The path of Patroni's REST API that answers 200 only in the entrance's role (docs/rest_api.rst). */
function checkPath(
  entrance: Entrance,
  cluster: Pick<ClusterSettings, "replication">,
  maximumLag: string,
): string {
  const lag = `?lag=${bytesOf(maximumLag)}`;
  switch (entrance) {
    case "primary":
      return "/primary";
    case "replica":
      return `/replica${lag}`;
    case "synchronous":
      return replicationMode(cluster).confirming.page;
    case "asynchronous":
      return `/async${lag}`;
  }
}

/** Holds the password of the statistics page, so that the rest of the configuration can be shown. */
const USERS_FILE = "/etc/haproxy/pgherd-users.cfg";

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
  const { checks } = timings(cluster.failover);
  const files = {
    [`/etc/systemd/system/${haproxy.unit}.d/pgherd.conf`]: {
      mode: "0644",
      owner: "root",
      group: "root",
      // Each connection has two ends; the rest is for checks, listeners and the statistics page.
      content: render("haproxy/unit.conf", {
        openFiles: 2 * balancers.maxConnections + 1000,
        usersFile: USERS_FILE,
      }),
    },
    "/etc/haproxy/haproxy.cfg": {
      mode: "0640",
      owner: "root",
      group: "haproxy",
      content: render("haproxy/haproxy.cfg", {
        maxConnections: balancers.maxConnections,
        timeouts: balancers.timeouts,
        checks: {
          interval: milliseconds(checks.interval),
          fastInterval: milliseconds(checks.fastInterval),
          downInterval: milliseconds(checks.downInterval ?? checks.fastInterval),
          timeout: milliseconds(checks.timeout),
          fall: checks.fall,
          rise: checks.rise,
        },
        retry: milliseconds(secondsToRetry(checks)),
        statsPort: balancers.ports.stats,
        entrances: ENTRANCES.map((name) => ({
          name,
          check: checkPath(name, cluster, balancers.maximumLag),
          port: balancers.ports[name],
          isPrimary: name === "primary",
          fallback: name === "replica" && balancers.replicaFallback,
        })),
        members,
      }),
    },
  };
  return balancers.hosts.map((host) => ({
    host,
    daemon: "haproxy",
    files,
    secretFiles: {
      [USERS_FILE]: {
        mode: "0600",
        owner: "root",
        group: "root",
        template: "haproxy/users.cfg",
        values: {},
        secrets: { stats: { role: "haproxy", name: "stats" } },
      },
    },
    directories: {},
  }));
}

/** What clients connect to. */
export function planEntryPoint({ hosts, cluster }: Settings): EntryPointPlan | undefined {
  const balancers = cluster.loadBalancers;
  if (!balancers) return undefined;
  const vips = balancers.vip.map((vip) => vip.replace(/\/.*/, ""));
  return {
    hosts: balancers.hosts,
    addresses: vips.length > 0 ? vips : balancers.hosts.map((host) => addressOf(hosts, host)),
    vips,
    statsPort: balancers.ports.stats,
    ports: {
      primary: balancers.ports.primary,
      replica: balancers.ports.replica,
      synchronous: balancers.ports.synchronous,
      asynchronous: balancers.ports.asynchronous,
    },
  };
}

/**
 * Seconds after which a connection that the primary refuses is tried again, and one that it does not answer given up:
 * before a retry HAProxy waits for `timeout connect`, or one second if that is shorter (its manual, "retries"). Health
 * checks have as long to connect, so it is no shorter than half a second.
 */
function secondsToRetry({ interval }: Checks): number {
  return Math.max(0.5, interval / 2);
}

/** `500ms` for 0.5 seconds. */
function milliseconds(seconds: number): string {
  return `${Math.round(seconds * 1000)}ms`;
}
