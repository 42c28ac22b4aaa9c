import type { FirewallSettings, Settings } from "../config/schema";
import type { Reach } from "../resources/inputs/preflight";
import { hostsOf, roleNamed, rolesOn, type Party, type RoleName } from "../roles/roles";
import { addressOf } from "./addresses";
import { sshPort } from "./logins";
import { networkOf } from "./networks";
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
  const { hosts, cluster } = settings;
  const { firewall } = cluster;
  if (firewall === false) return [];
  return Object.keys(hosts).flatMap((to) => {
    const roles = rolesOn(cluster, to);
    if (roles.length === 0) return [];
    // While a cluster moves it has two DCS, each of which is for its own hosts.
    const sources = (parties: readonly Party[], role: RoleName) =>
      parties.map((party) =>
        (party === "dcs" ? hostsOfRole("DCS hosts", role) : SOURCES[party])(settings, firewall, to),
      );
    return [
      ...tcp(to, sshPort(settings, to), "SSH", [
        SOURCES.logins(settings, firewall, to),
        ...roles.flatMap(({ name, logins }) => sources(logins, name)),
      ]),
      ...roles.flatMap(({ name, ports, traffic }) => [
        ...ports.flatMap(({ number, purpose, from, udp }) => {
          const port = number(cluster);
          const flows =
            port === undefined ? [] : tcp(to, port, purpose, sources(from(cluster), name));
          return udp
            ? [...flows, ...flows.map((one) => ({ ...one, protocol: "udp" as const }))]
            : flows;
        }),
        ...traffic.flatMap(({ protocol, purpose, from }) =>
          some(sources(from, name).map((source) => ({ ...source, to, protocol, purpose }))),
        ),
      ]),
      ...ownFlows(firewall, to),
    ];
  });
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

type SourceOf = (settings: Settings, firewall: FirewallSettings, to: string) => Source;
const SOURCES: { readonly [party in Exclude<Party, "dcs">]: SourceOf } = {
  members: hostsOfRole("members", "patroni"),
  balancers: hostsOfRole("load balancers", "haproxy"),
  "balancers and their virtual addresses": (settings, firewall, to) => {
    const own = SOURCES.balancers(settings, firewall, to);
    const vips = settings.cluster.loadBalancers?.vip ?? [];
    // With IPv6 the kernel may connect from the virtual IP as well as from the host's own address (RFC 6724).
    return { ...own, addresses: [...own.addresses, ...vips.map((vip) => vip.split("/")[0] ?? "")] };
  },
  "backup host": hostsOfRole("backup host", "barman"),
  clients: (settings) => ({ from: "clients", addresses: clientNetworks(settings) }),
  admins: (_, { admins }) => ({ from: "admins", addresses: admins }),
  logins: (_, { ssh }) => ({ from: "logins", addresses: ssh }),
};

/** What a host says to itself goes over its loopback interface. */
function hostsOfRole(from: string, role: RoleName): SourceOf {
  return ({ hosts, cluster }, _, to) => ({
    from,
    addresses: hostsOf(roleNamed(role), cluster)
      .filter((name) => name !== to)
      .map((name) => addressOf(hosts, name)),
  });
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

function tcp(to: string, port: number, purpose: string, sources: readonly Source[]): Flow[] {
  return some(sources.map((source) => ({ ...source, to, protocol: "tcp", port, purpose })));
}

function some(flows: readonly Flow[]): Flow[] {
  return flows.filter(({ addresses }) => addresses.length > 0);
}
