import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { ROLES } from "../../roles/roles";
import type { Settings } from "../schema";
import { CLUSTERS, HOSTS } from "../reserved";
import { each, understanding, type Report } from "./report";

/** Where the settings name hosts: where, and which host. */
type Part = (cluster: Settings["cluster"], name: (path: string, host: string) => void) => void;

const PARTS: readonly Part[] = [
  ...ROLES.map(
    ({ hosts }): Part =>
      (cluster, name) =>
        each(hosts(cluster), ({ path, host }) => name(path, host)),
  ),
  ({ postgresql: { bootstrap } }, name) =>
    bootstrap && name("postgresql.bootstrap.host", bootstrap.host),
  ({ firewall }, name) =>
    each(firewall ? firewall.allow : [], ({ hosts = [] }, i) =>
      each(hosts, (host, j) => name(`firewall.allow[${i}].hosts[${j}]`, host)),
    ),
];

export function hostsExist({ hosts, cluster }: Settings, report: Report): void {
  const names = Object.keys(hosts);
  // Two roles may have the same list.
  const seen = new Set<string>();
  for (const part of PARTS) {
    understanding(() =>
      part(cluster, (path, host) => {
        if (names.includes(host) || seen.has(path)) return;
        seen.add(path);
        report(
          `cluster.${path}`,
          `expected one of pgherd:hosts (${names.join(", ")}), got "${host}". Add the host or mend the name.`,
        );
      }),
    );
  }
}

/** Nothing that a name of the user's ends in takes it for something else. */
export function namesAreFree({ hosts, cluster }: Settings, report: Report): void {
  const means = CLUSTERS[cluster.name];
  if (means)
    report(
      "cluster.name",
      `expected a name that is not reserved, got "${cluster.name}", ${means}. Choose another name.`,
    );
  for (const name of Object.keys(hosts)) {
    if (HOSTS[name])
      report(
        `hosts.${name}`,
        `expected a name that is not reserved, got "${name}", ${HOSTS[name]}. Choose another name.`,
      );
  }
}

/** Ranges of which no address is that of one host (ipaddr.js's words), each with what it is. */
const OF_NO_HOST: { readonly [range: string]: string } = {
  unspecified: "which stands for any address",
  loopback: "which every host has itself",
  multicast: "which is a group's",
  broadcast: "which is everybody's",
  ipv4Mapped: "which is an IPv4 address in another form",
};

/** `fe80::/10` needs the name of an interface beside it, which is another one on each host. */
const LINK_LOCAL_6 = "which means another host on each network card";

/** Why an address is not that of one host for all others; nothing if it may be. */
export function noHosts(address: string): string | undefined {
  const parsed = ipaddr.parse(address);
  const range = parsed.range();
  if (range === "linkLocal" && parsed.kind() === "ipv6") return LINK_LOCAL_6;
  return Object.hasOwn(OF_NO_HOST, range) ? OF_NO_HOST[range] : undefined;
}

/** Two texts may be one address of IPv6. */
export function sameAddress(a: string, b: string): boolean {
  return ipaddr.parse(a).toString() === ipaddr.parse(b).toString();
}

export function addressesAreOfHosts({ hosts }: Settings, report: Report): void {
  each(Object.keys(hosts), (name) => {
    const { address } = hosts[name] as Settings["hosts"][string];
    const means = noHosts(address);
    if (means)
      report(
        `hosts.${name}.address`,
        `expected an address at which the other hosts reach it, got ${address}, ${means}. Mend it.`,
      );
  });
}

export function addressesDiffer({ hosts }: Settings, report: Report): void {
  const seen = new Map<string, string>();
  each(Object.keys(hosts), (name) => {
    const { address } = hosts[name] as Settings["hosts"][string];
    const canonical = ipaddr.parse(address).toString();
    const other = seen.get(canonical);
    if (other)
      report(
        `hosts.${name}.address`,
        `expected an address of its own, got that of ${other}, ${address}. Mend one of them.`,
      );
    seen.set(canonical, name);
  });
}

export function addressesAreOfOneFamily({ hosts }: Settings, report: Report): void {
  const [firstName] = Object.keys(hosts);
  if (firstName === undefined) return;
  const addressOf = (name: string) => hosts[name]?.address ?? "";
  const firstAddress = addressOf(firstName);
  each(Object.keys(hosts), (name) => {
    const address = addressOf(name);
    if (isIP(address) !== isIP(firstAddress)) {
      report(
        `hosts.${name}.address`,
        `expected an IPv${isIP(firstAddress)} address like that of ${firstName}, got ${address}: ` +
          "hosts reach each other by one family. Give all hosts addresses of one.",
      );
    }
  });
}
