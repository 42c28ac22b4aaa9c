import { hostsOf, roleNamed, ROLES } from "../../roles/roles";
import type { Settings } from "../schema";
import { each, type Report } from "./report";

type Used = [path: string, port: number, hosts: readonly string[]];

export function portsDiffer({ cluster }: Settings, report: Report): void {
  const used: Used[] = [];
  const use = (path: string, port: number, hosts: readonly string[]) => {
    const clash = used.find(
      ([, other, otherHosts]) => other === port && otherHosts.some((host) => hosts.includes(host)),
    );
    if (clash)
      report(
        path,
        `expected a port of its own, got ${port}, which ${clash[0]} uses on the same host. Choose another.`,
      );
    used.push([path, port, hosts]);
  };
  each(PORTS, ({ role, setting, number, purpose }) => {
    const port = number(cluster);
    if (port !== undefined)
      use(setting === undefined ? purpose : `cluster.${setting}`, port, hostsOf(role, cluster));
  });
  each(cluster.forks, ({ port }, i) =>
    use(`cluster.forks[${i}].port`, port, hostsOf(roleNamed("patroni"), cluster)),
  );
}

/** Those that no setting has come first, so that a clash is reported where a user can mend it. */
const PORTS = ROLES.flatMap((role) => role.ports.map((port) => ({ role, ...port }))).sort(
  (a, b) => Number(a.setting !== undefined) - Number(b.setting !== undefined),
);
