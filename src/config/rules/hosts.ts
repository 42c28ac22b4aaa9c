import { isIP } from "node:net";
import type { Settings } from "../schema";
import type { Report } from "./report";

export function hostsExist({ hosts, cluster }: Settings, report: Report): void {
  const named: [string, string][] = [
    ...cluster.members.map((member, i): [string, string] => [`cluster.members[${i}]`, member.host]),
    ...cluster.dcs.members.map((host, i): [string, string] => [`cluster.dcs.members[${i}]`, host]),
    ...(cluster.loadBalancers?.hosts ?? []).map((host, i): [string, string] => [
      `cluster.loadBalancers.hosts[${i}]`,
      host,
    ]),
  ];
  if (cluster.backup) named.push(["cluster.backup.host", cluster.backup.host]);
  const { bootstrap } = cluster.postgresql;
  if (bootstrap) named.push(["cluster.postgresql.bootstrap.host", bootstrap.host]);
  if (cluster.firewall) {
    cluster.firewall.allow.forEach(({ hosts: on = [] }, i) =>
      on.forEach((host, j) => named.push([`cluster.firewall.allow[${i}].hosts[${j}]`, host])),
    );
  }
  for (const [path, host] of named) {
    if (!hosts[host]) {
      report(
        path,
        `expected one of pgherd:hosts (${Object.keys(hosts).join(", ")}), got "${host}". Add the host or mend the name.`,
      );
    }
  }
}

export function addressesDiffer({ hosts }: Settings, report: Report): void {
  const seen = new Map<string, string>();
  for (const [name, { address }] of Object.entries(hosts)) {
    const other = seen.get(address);
    if (other)
      report(
        `hosts.${name}.address`,
        `expected an address of its own, got that of ${other}, ${address}. Mend one of them.`,
      );
    seen.set(address, name);
  }
}

export function addressesAreOfOneFamily({ hosts }: Settings, report: Report): void {
  const [first] = Object.entries(hosts);
  if (!first) return;
  const [firstName, { address: firstAddress }] = first;
  for (const [name, { address }] of Object.entries(hosts)) {
    if (isIP(address) !== isIP(firstAddress)) {
      report(
        `hosts.${name}.address`,
        `expected an IPv${isIP(firstAddress)} address like that of ${firstName}, got ${address}: ` +
          "hosts reach each other by one family. Give all hosts addresses of one.",
      );
    }
  }
}
