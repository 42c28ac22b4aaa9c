import type { Settings } from "../config/schema";
import { daemonsOn } from "./hosts";
import { PATRONI_PORT } from "./patroni";
import type { Daemon } from "./types";

/** The TCP ports that the cluster's daemons listen on, on a host: `{ "5432": "patroni" }`. */
export function portsOn(settings: Settings, host: string): { [port: string]: Daemon } {
  const { cluster } = settings;
  const portsOf: { [daemon in Daemon]: number[] } = {
    etcd: [cluster.dcs.clientPort, cluster.dcs.peerPort],
    patroni: [cluster.postgresql.port, PATRONI_PORT],
    haproxy: Object.values(cluster.loadBalancers?.ports ?? {}),
    keepalived: [],
    barman: [],
  };
  return Object.fromEntries(
    daemonsOn(settings, host).flatMap((daemon) => portsOf[daemon].map((port) => [port, daemon])),
  );
}

/** Those that nobody uses yet on the host of a server that is migrated: all but the server's own. */
export function newPorts(settings: Settings, host: string): number[] {
  return Object.keys(portsOn(settings, host))
    .map(Number)
    .filter((port) => port !== settings.cluster.postgresql.port);
}
