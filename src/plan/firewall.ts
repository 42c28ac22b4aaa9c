import { isIPv4 } from "node:net";
import type { Settings } from "../config/schema";
import type { Source } from "../migration/inputs/source";
import { addressOf } from "./addresses";
import { planCallers } from "./callers";
import { FORK_MARK, planFlows } from "./flows";
import { isSource } from "../migration/steps";
import { newPorts } from "./ports";
import { render } from "./template";
import type { FirewallPlan, Flow } from "./types";

/** Which packets each host of the cluster lets in; none where the user wants no rules. */
export function planFirewalls(settings: Settings): FirewallPlan[] {
  const { flows, hosts, known } = knownTo(settings);
  return hosts.map((host) => {
    const callers = renderCallers(settings, host, hosts);
    const own = flows.filter(({ to }) => to === host);
    const ports = newPorts(settings, host);
    const beginning = own.filter(
      ({ protocol, port }) => protocol === "tcp" && ports.includes(port ?? 0),
    );
    return {
      host,
      rules: render("firewall/rules.nft", { rules: own.flatMap(rulesOf), known, callers }),
      ...(isSource(settings, host) && {
        beginning: render("firewall/new-ports.nft", {
          rules: beginning.flatMap(rulesOf),
          ports: ports.join(", "),
          known,
          callers,
        }),
      }),
    };
  });
}

/**
 * The same while hosts that voted in the DCS before do so still, by host of the cluster.
 * @param former with the addresses that they had.
 */
export function planCrossing(
  settings: Settings,
  former: { readonly [host: string]: string },
): { [host: string]: string } {
  const { hosts, cluster } = settings;
  const { dcs } = cluster;
  if ("endpoints" in dcs) return {};
  const before = Object.entries(former).map(([name, address]) => [
    name,
    { ...hosts[name], address },
  ]);
  const both: Settings = {
    ...settings,
    hosts: { ...hosts, ...(Object.fromEntries(before) as Settings["hosts"]) },
    cluster: { ...cluster, dcs: { ...dcs, members: [...dcs.members, ...Object.keys(former)] } },
  };
  const now = planFirewalls(settings).map(({ host }) => host);
  return Object.fromEntries(
    planFirewalls(both).flatMap(({ host, rules }) => (now.includes(host) ? [[host, rules]] : [])),
  );
}

/** The rules on the host of a server that is migrated: servers beside it are let alone. */
export function migratedRules(settings: Settings, source: Source): { [host: string]: string } {
  const { flows, hosts, known } = knownTo(settings);
  return Object.fromEntries(
    hosts
      .filter((host) => isSource(settings, host))
      .map((host) => {
        const own = flows.filter(({ to }) => to === host).flatMap(rulesOf);
        const callers = renderCallers(settings, host, hosts);
        const rules = [...own, ...rulesOfOthers(source)];
        return [host, render("firewall/rules.nft", { rules, known, callers })];
      }),
  );
}

/** All traffic, the hosts that let some in, and what they know each other by. */
function knownTo(settings: Settings) {
  const flows = planFlows(settings);
  const hosts = [...new Set(flows.map(({ to }) => to))];
  return { flows, hosts, known: hostMatches("saddr", settings, hosts) };
}

/** The chain that lets only their callers out to the daemons that ask nobody who he is. */
function renderCallers(settings: Settings, host: string, hosts: readonly string[]): string {
  const callers = planCallers(settings, host);
  return render("firewall/callers.nft", {
    callerPorts: callers.map(({ port }) => port).join(", "),
    calledHosts: hostMatches("daddr", settings, hosts),
    // The host puts their ids in the places of their names whenever it loads the rules.
    callers,
  });
}

/**
 * What matches packets from (`saddr`) or to (`daddr`) the cluster's hosts. Those sources are told of what is not let in:
 * a host that has lost its connections with a restart must say so to those at their other ends, since a Patroni that waits
 * for an answer from a silent etcd waits for minutes.
 */
function hostMatches(
  end: "saddr" | "daddr",
  { hosts }: Settings,
  names: readonly string[],
): string[] {
  // The engine hands the hosts over by name, a stack file as they stand there: rules must not depend on that.
  const addresses = [...names].sort().map((name) => addressOf(hosts, name));
  const four = addresses.filter((one) => isIPv4(one));
  const six = addresses.filter((one) => !isIPv4(one));
  return [
    ...(four.length > 0 ? [`ip ${end} { ${four.join(", ")} }`] : []),
    ...(six.length > 0 ? [`ip6 ${end} { ${six.join(", ")} }`] : []),
  ];
}

/** What a rule looks for in a packet, and what it is for. */
interface Rule {
  readonly match: string;
  readonly comment: string;
}

/** Servers beside the one that is migrated are let alone: whoever reached them goes on doing so. */
function rulesOfOthers(source: Source): Rule[] {
  return (source.otherPorts ?? []).map((port) => ({
    match: `tcp dport ${port}`,
    comment: "another server of PostgreSQL from anywhere, as before",
  }));
}

/** What a packet's source has to be for these addresses: once for IPv4 and once for IPv6, where there are such. */
export function sourcesOf(
  addresses: readonly string[],
): { readonly match: string; readonly protocolField: string }[] {
  const families = [
    { family: "ip", all: "ipv4", protocolField: "ip protocol", four: true },
    { family: "ip6", all: "ipv6", protocolField: "ip6 nexthdr", four: false },
  ];
  return families.flatMap(({ family, all, protocolField, four }) => {
    const own = [...new Set(addresses.filter((one) => isIPv4(one.split("/")[0] ?? "") === four))];
    if (own.length === 0) return [];
    const anywhere = own.some((one) => one.endsWith("/0"));
    const match = anywhere ? `meta nfproto ${all}` : `${family} saddr { ${own.join(", ")} }`;
    return [{ match, protocolField }];
  });
}

/** One rule for IPv4 and one for IPv6, where the flow has such addresses. */
function rulesOf({ from, addresses, protocol, port, purpose }: Flow): Rule[] {
  const comment = `${purpose} from ${from}`;
  if (protocol === "mark") return [{ match: `meta mark ${FORK_MARK}`, comment }];
  return sourcesOf(addresses).map(({ match, protocolField }) => {
    const target =
      protocol === "vrrp" ? `${protocolField} ${VRRP_PROTOCOL}` : `${protocol} dport ${port}`;
    return { match: `${match} ${target}`, comment };
  });
}

/** https://www.iana.org/assignments/protocol-numbers */
const VRRP_PROTOCOL = 112;
