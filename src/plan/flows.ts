import type { FirewallSettings, Settings } from "../config/schema";
import type { Reach } from "../resources/inputs/preflight";
import { addressOf } from "./addresses";
import { sshPort } from "./logins";
import { networkOf } from "./networks";
import { PATRONI_PORT } from "./patroni";
import type { Flow } from "./types";

/** Packets of a fork's clients carry it as long as the fork runs: the fork's own table of nftables sets it ("fork" in ASCII). */
export const FORK_MARK = "0x666f726b";

/** Some hosts or networks, and what they are called. */
interface Source {
  readonly from: string;
  readonly addresses: readonly string[];
}

/**
 * Who may reach what: the one table that the firewalls are made from. Every host that has a part in the cluster is in
 * it, in the order of `pgherd:hosts`; empty where the user wants no rules.
 */
export function planFlows(settings: Settings): Flow[] {
  const { firewall } = settings.cluster;
  if (firewall === false) return [];
  const parts = partsOf(settings);
  return Object.keys(settings.hosts)
    .filter((host) =>
      [parts.members, parts.dcs, parts.balancers, parts.backup].flat().includes(host),
    )
    .flatMap((host) => [
      ...loginFlows(settings, firewall, parts, host),
      ...(parts.dcs.includes(host) ? dcsFlows(settings, parts, host) : []),
      ...(parts.members.includes(host) ? memberFlows(settings, firewall, parts, host) : []),
      ...(parts.balancers.includes(host) ? balancerFlows(settings, firewall, parts, host) : []),
      ...ownFlows(firewall, host),
    ]);
}

/** What a host opens connections to on the others, whoever's rules stand in between. */
export function planReaches(settings: Settings, from: string): Reach[] {
  const firewall = { ssh: [], admins: [], clients: [], monitors: [], allow: [] };
  const own = addressOf(settings.hosts, from);
  const reaches = planFlows({ ...settings, cluster: { ...settings.cluster, firewall } })
    .filter(({ addresses }) => addresses.includes(own))
    .flatMap(({ to, port, purpose }) => (port ? [{ to, port, purpose }] : []));
  return [...new Map(reaches.map((one) => [`${one.to} ${one.port}`, one])).values()];
}

/** The networks that may use the database: the user's, or else those of the virtual IP. */
export function clientNetworks({ cluster }: Settings): string[] {
  const { firewall, loadBalancers } = cluster;
  if (firewall !== false && firewall.clients) return firewall.clients;
  return (loadBalancers?.vip ?? []).map(networkOf);
}

/** Names of hosts by their part. */
interface Parts {
  readonly members: readonly string[];
  readonly dcs: readonly string[];
  readonly balancers: readonly string[];
  readonly backup: readonly string[];
}

function partsOf({ cluster }: Settings): Parts {
  return {
    members: cluster.members.map(({ host }) => host),
    dcs: cluster.dcs.members,
    balancers: cluster.loadBalancers?.hosts ?? [],
    backup: cluster.backup ? [cluster.backup.host] : [],
  };
}

/** Beside people, the backup host and the members log in to each other. */
function loginFlows(
  settings: Settings,
  firewall: FirewallSettings,
  { members, backup }: Parts,
  to: string,
): Flow[] {
  const copying = members.includes(to)
    ? hostSource(settings, "backup host", backup, to)
    : hostSource(settings, "members", backup.includes(to) ? members : [], to);
  return tcp(to, sshPort(settings, to), "SSH", [
    { from: "logins", addresses: firewall.ssh },
    copying,
  ]);
}

function dcsFlows(settings: Settings, { members, dcs }: Parts, to: string): Flow[] {
  const { clientPort, peerPort } = settings.cluster.dcs;
  const peers = hostSource(settings, "DCS hosts", dcs, to);
  return [
    ...tcp(to, clientPort, "etcd", [hostSource(settings, "members", members, to), peers]),
    ...tcp(to, peerPort, "etcd's peers", [peers]),
  ];
}

function memberFlows(
  settings: Settings,
  firewall: FirewallSettings,
  { members, balancers, backup }: Parts,
  to: string,
): Flow[] {
  const { port } = settings.cluster.postgresql;
  const peers = hostSource(settings, "members", members, to);
  const virtual = (settings.cluster.loadBalancers?.vip ?? []).map((vip) => vip.split("/")[0] ?? "");
  const entrances = hostSource(settings, "load balancers", balancers, to);
  // With IPv6 the kernel may connect from the virtual IP as well as from the host's own address (RFC 6724).
  const through = { ...entrances, addresses: [...entrances.addresses, ...virtual] };
  return [
    ...tcp(to, port, "PostgreSQL", [
      peers,
      ...(balancers.length > 0
        ? [through]
        : [
            { from: "clients", addresses: clientNetworks(settings) },
            hostSource(settings, "backup host", backup, to),
          ]),
    ]),
    ...tcp(to, PATRONI_PORT, "Patroni's REST API", [
      peers,
      through,
      { from: "admins", addresses: firewall.admins },
    ]),
    ...some([
      {
        from: "clients",
        addresses: clientNetworks(settings),
        to,
        protocol: "mark",
        purpose: "forks",
      },
    ]),
  ];
}

function balancerFlows(
  settings: Settings,
  firewall: FirewallSettings,
  { balancers, backup }: Parts,
  to: string,
): Flow[] {
  const { ports, vip } = settings.cluster.loadBalancers as NonNullable<
    Settings["cluster"]["loadBalancers"]
  >;
  const clients = { from: "clients", addresses: clientNetworks(settings) };
  const peers = hostSource(settings, "load balancers", balancers, to);
  return [
    ...tcp(to, ports.primary, "primary", [
      clients,
      hostSource(settings, "backup host", backup, to),
    ]),
    ...tcp(to, ports.replica, "replicas", [clients]),
    ...tcp(to, ports.synchronous, "synchronous", [clients]),
    ...tcp(to, ports.asynchronous, "asynchronous", [clients]),
    ...tcp(to, ports.stats, "statistics page", [{ from: "admins", addresses: firewall.admins }]),
    ...(vip.length > 0
      ? some([{ ...peers, to, protocol: "vrrp" as const, purpose: "virtual IP" }])
      : []),
  ];
}

function ownFlows({ allow }: FirewallSettings, to: string): Flow[] {
  return some(
    allow
      .filter(({ hosts }) => hosts === undefined || hosts.includes(to))
      .map(({ from, protocol, port }) => ({
        from: "others",
        addresses: from,
        to,
        protocol,
        port,
        purpose: "firewall.allow",
      })),
  );
}

function hostSource(
  { hosts }: Settings,
  from: string,
  names: readonly string[],
  to: string,
): Source {
  // What a host says to itself goes over its loopback interface.
  const others = names.filter((name) => name !== to);
  return { from, addresses: others.map((name) => addressOf(hosts, name)) };
}

function tcp(to: string, port: number, purpose: string, sources: readonly Source[]): Flow[] {
  return some(sources.map((source) => ({ ...source, to, protocol: "tcp", port, purpose })));
}

function some(flows: readonly Flow[]): Flow[] {
  return flows.filter(({ addresses }) => addresses.length > 0);
}
