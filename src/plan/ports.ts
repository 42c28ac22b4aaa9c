import type { Settings } from "../config/schema";
import { rolesOn, type RoleName } from "../roles/roles";

/** The TCP ports that the cluster's daemons listen on, on a host: `{ "5432": "patroni" }`. */
export function portsOn({ cluster }: Settings, host: string): { [port: string]: RoleName } {
  return Object.fromEntries(
    rolesOn(cluster, host).flatMap(({ name, ports }) =>
      ports.flatMap(({ number }) => {
        const port = number(cluster);
        return port === undefined ? [] : [[port, name]];
      }),
    ),
  ) as { [port: string]: RoleName };
}

/** Those that nobody uses yet on the host of a server that is migrated: all but the server's own. */
export function newPorts(settings: Settings, host: string): number[] {
  return Object.keys(portsOn(settings, host))
    .map(Number)
    .filter((port) => port !== settings.cluster.postgresql.port);
}
