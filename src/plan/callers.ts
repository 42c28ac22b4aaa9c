import type { Settings } from "../config/schema";
import { hasRole, roleNamed, ROLES_IN_ORDER } from "../roles/roles";

/** Who on a host, beside root, may open connections to a port of the cluster's hosts, by user of the operating system. */
interface Callers {
  readonly port: number;
  readonly users: readonly string[];
}

/**
 * The ports whose daemons ask nobody who he is, and the users on a host who have business there, by the daemons that run
 * on it; pgherd asks as root.
 */
export function planCallers({ cluster }: Settings, host: string): Callers[] {
  const monitors = cluster.firewall === false ? [] : cluster.firewall.monitors;
  return ROLES_IN_ORDER.flatMap(({ ports }) => ports).flatMap(({ number, callers, monitored }) => {
    const port = number(cluster);
    if (!callers || port === undefined) return [];
    const there = callers.filter((name) => hasRole(cluster, host, name));
    const users = [...there.map((name) => roleNamed(name).user), ...(monitored ? monitors : [])];
    return [{ port, users: [...new Set(users)] }];
  });
}
