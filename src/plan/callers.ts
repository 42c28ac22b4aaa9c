import type { Settings } from "../config/schema";
import { daemonsOn } from "./hosts";
import { PATRONI_PORT } from "./patroni";

/** Who on a host, beside root, may open connections to a port of the cluster's hosts, by user of the operating system. */
export interface Callers {
  readonly port: number;
  readonly users: readonly string[];
}

/**
 * The ports whose daemons ask nobody who he is, and the users who have business there: whoever reaches etcd can have every
 * member run a command as postgres, by the settings that stand in it. Patroni asks etcd and other members as postgres,
 * etcd's members each other as etcd, HAProxy's checks ask Patroni as haproxy; pgherd asks as root.
 */
export function planCallers(settings: Settings, host: string): Callers[] {
  const { firewall, dcs } = settings.cluster;
  const daemons = daemonsOn(settings, host);
  const postgres = daemons.includes("patroni") ? ["postgres"] : [];
  const etcd = daemons.includes("etcd") ? ["etcd"] : [];
  const haproxy = daemons.includes("haproxy") ? ["haproxy"] : [];
  const monitors = firewall === false ? [] : firewall.monitors;
  return [
    { port: dcs.clientPort, users: [...postgres, ...etcd] },
    { port: dcs.peerPort, users: etcd },
    { port: PATRONI_PORT, users: [...new Set([...postgres, ...haproxy, ...monitors])] },
  ];
}
