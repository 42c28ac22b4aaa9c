import type { Settings } from "../schema";
import type { Report } from "./report";

/** Patroni's REST API. */
const PATRONI_PORT = 8008;

export function portsDiffer({ cluster }: Settings, report: Report): void {
  const used: [path: string, port: number, hosts: string[]][] = [];
  const members = cluster.members.map((member) => member.host);
  // First, so that a clash is reported where a user can mend it.
  used.push(["Patroni's REST API", PATRONI_PORT, members]);
  used.push(["cluster.postgresql.port", cluster.postgresql.port, members]);
  used.push(["cluster.dcs.clientPort", cluster.dcs.clientPort, cluster.dcs.members]);
  used.push(["cluster.dcs.peerPort", cluster.dcs.peerPort, cluster.dcs.members]);
  const balancers = cluster.loadBalancers;
  for (const [key, port] of Object.entries(balancers?.ports ?? {})) {
    used.push([`cluster.loadBalancers.ports.${key}`, port, balancers?.hosts ?? []]);
  }
  cluster.forks.forEach(({ port }, i) => used.push([`cluster.forks[${i}].port`, port, members]));
  used.forEach(([path, port, hosts], i) => {
    const clash = used
      .slice(0, i)
      .find(
        ([, other, otherHosts]) =>
          other === port && otherHosts.some((host) => hosts.includes(host)),
      );
    if (clash)
      report(
        path,
        `expected a port of its own, got ${port}, which ${clash[0]} uses on the same host. Choose another.`,
      );
  });
}
