import type { Settings } from "../schema";
import { each, type Report } from "./report";

/** Patroni's REST API. */
const PATRONI_PORT = 8008;

type Port = [path: string, port: number, hosts: readonly string[]];

export function portsDiffer({ cluster }: Settings, report: Report): void {
  const used: Port[] = [];
  each(PORTS, (ports) =>
    each(ports(cluster), ([path, port, hosts]) => {
      const clash = used.find(
        ([, other, otherHosts]) =>
          other === port && otherHosts.some((host) => hosts.includes(host)),
      );
      if (clash)
        report(
          path,
          `expected a port of its own, got ${port}, which ${clash[0]} uses on the same host. Choose another.`,
        );
      used.push([path, port, hosts]);
    }),
  );
}

const PORTS: readonly ((cluster: Settings["cluster"]) => Port[])[] = [
  // First, so that a clash is reported where a user can mend it.
  (cluster) => [["Patroni's REST API", PATRONI_PORT, members(cluster)]],
  (cluster) => [["cluster.postgresql.port", cluster.postgresql.port, members(cluster)]],
  ({ dcs }) => [["cluster.dcs.clientPort", dcs.clientPort, dcs.members]],
  ({ dcs }) => [["cluster.dcs.peerPort", dcs.peerPort, dcs.members]],
  ({ loadBalancers }) =>
    Object.entries(loadBalancers?.ports ?? {}).map(([key, port]) => [
      `cluster.loadBalancers.ports.${key}`,
      port,
      loadBalancers?.hosts ?? [],
    ]),
  (cluster) =>
    cluster.forks.map(({ port }, i) => [`cluster.forks[${i}].port`, port, members(cluster)]),
];

function members(cluster: Settings["cluster"]): string[] {
  return cluster.members.map((member) => member.host);
}
