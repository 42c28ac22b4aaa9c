import { BlockList, isIP, isIPv4 } from "node:net";
import ipaddr from "ipaddr.js";
import type { Settings } from "../schema";
import { noHosts, sameAddress } from "./hosts";
import type { Report } from "./report";

export function vipsFit({ hosts, cluster }: Settings, report: Report): void {
  const balancers = cluster.loadBalancers;
  if (!balancers || balancers.vip.length === 0) return;
  const path = "cluster.loadBalancers.vip";
  if (balancers.hosts.length < 2) {
    report(
      path,
      "expected two load balancers for a virtual IP, got one. Add a host or remove the vip.",
    );
  }
  if (!balancers.interface) {
    report(
      "cluster.loadBalancers.interface",
      "expected the interface that carries the vip, got nothing. `ip -brief address` on the host shows it.",
    );
  }
  const families = balancers.vip.map((vip) => isIP(vip.replace(/\/.*/, "")));
  if (families.length === 2 && families[0] === families[1]) {
    report(
      path,
      `expected an IPv4 and an IPv6 address, got two of IPv${families[0]}. Remove one of them.`,
    );
  }
  const own = isIP(hosts[balancers.hosts[0] ?? ""]?.address ?? "");
  if (own !== 0 && !families.includes(own)) {
    report(
      path,
      `expected an IPv${own} address, which is what the load balancers speak among themselves, got ${balancers.vip.join(", ")}. Add one.`,
    );
  }
  for (const vip of balancers.vip) vipFits(vip, path, { hosts, cluster }, report);
}

function vipFits(
  written: string,
  path: string,
  { hosts, cluster }: Pick<Settings, "hosts" | "cluster">,
  report: Report,
): void {
  const [vip = "", prefix = ""] = written.split("/");
  const family = isIPv4(vip) ? "ipv4" : "ipv6";
  const owner = Object.entries(hosts).find(([, host]) => sameAddress(host.address, vip));
  if (owner)
    report(
      path,
      `expected an address that no host has, got that of ${owner[0]}, ${vip}. Choose a free one.`,
    );
  if (Number(prefix) > (family === "ipv4" ? 32 : 128)) {
    report(path, `expected a prefix length up to ${family === "ipv4" ? 32 : 128}, got ${prefix}.`);
    return;
  }
  const means = noHosts(vip) ?? ofItsNetwork(vip, Number(prefix));
  if (means) {
    report(
      path,
      `expected an address that a host can have, got ${written}, ${means}. Choose another one.`,
    );
    return;
  }
  const segment = new BlockList();
  segment.addSubnet(vip, Number(prefix), family);
  for (const name of cluster.loadBalancers?.hosts ?? []) {
    const address = hosts[name]?.address;
    // What networks a host has beside that of its address, only the host itself can tell.
    if (!address || isIP(address) !== isIP(vip)) continue;
    if (!segment.check(address, family)) {
      report(
        path,
        `expected an address in the network of ${name} (${address}), got ${written}. Choose one there.`,
      );
    }
  }
}

/** What an address means in its network, so that no host has it; nothing in one of two addresses, or of one. */
function ofItsNetwork(address: string, prefix: number): string | undefined {
  const ofIPv4 = isIPv4(address);
  // RFC 3021; RFC 6164.
  if (prefix >= (ofIPv4 ? 31 : 127)) return undefined;
  const { IPv4, IPv6 } = ipaddr;
  const cidr = `${address}/${prefix}`;
  if (!ofIPv4)
    return sameAddress(address, IPv6.networkAddressFromCIDR(cidr).toString())
      ? "which its network's routers have (the subnet-router anycast address)"
      : undefined;
  if (sameAddress(address, IPv4.networkAddressFromCIDR(cidr).toString()))
    return "which is its network's own";
  if (sameAddress(address, IPv4.broadcastAddressFromCIDR(cidr).toString()))
    return "which is its network's broadcast";
  return undefined;
}
