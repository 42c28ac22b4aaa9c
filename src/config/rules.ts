import { BlockList, isIPv4 } from "node:net";
import type { Settings } from "./schema";

type Report = (path: string, problem: string) => void;

/**
 * What a schema cannot say: rules between settings.
 * @returns one sentence for each broken rule, with path, expectation, finding and remedy.
 */
export function brokenRules(settings: Settings): string[] {
  const problems: string[] = [];
  const report: Report = (path, problem) => problems.push(`pgherd:${path}: ${problem}`);
  for (const rule of RULES) rule(settings, report);
  return problems;
}

const RULES: readonly ((settings: Settings, report: Report) => void)[] = [
  hostsExist,
  addressesDiffer,
  membersDiffer,
  etcdHasMajority,
  replicationHasReplicas,
  timingsFit,
  vipFits,
  ownersExist,
  portsDiffer,
  hbaIsSafe,
  hooksHaveHosts,
];

function hostsExist({ hosts, cluster }: Settings, report: Report): void {
  const named: [string, string][] = [
    ...cluster.members.map((member, i): [string, string] => [`cluster.members[${i}]`, member.host]),
    ...cluster.dcs.members.map((host, i): [string, string] => [`cluster.dcs.members[${i}]`, host]),
    ...(cluster.loadBalancers?.hosts ?? []).map((host, i): [string, string] => [
      `cluster.loadBalancers.hosts[${i}]`,
      host,
    ]),
  ];
  for (const [path, host] of named) {
    if (!hosts[host]) {
      report(
        path,
        `expected one of pgherd:hosts (${Object.keys(hosts).join(", ")}), got "${host}".`,
      );
    }
  }
}

function addressesDiffer({ hosts }: Settings, report: Report): void {
  const seen = new Map<string, string>();
  for (const [name, { address }] of Object.entries(hosts)) {
    const other = seen.get(address);
    if (other)
      report(
        `hosts.${name}.address`,
        `expected an address of its own, got that of ${other}, ${address}.`,
      );
    seen.set(address, name);
  }
}

function membersDiffer({ cluster }: Settings, report: Report): void {
  const lists: [string, string[]][] = [
    ["cluster.members", cluster.members.map((member) => member.host)],
    ["cluster.dcs.members", cluster.dcs.members],
    ["cluster.loadBalancers.hosts", cluster.loadBalancers?.hosts ?? []],
  ];
  for (const [path, names] of lists) {
    names.forEach((name, i) => {
      if (names.indexOf(name) !== i)
        report(`${path}[${i}]`, `"${name}" stands there twice. Remove one.`);
    });
  }
}

function etcdHasMajority({ cluster }: Settings, report: Report): void {
  const count = cluster.dcs.members.length;
  if (count % 2 === 0) {
    report(
      "cluster.dcs.members",
      `expected an odd number, got ${count}. An even one survives no more failures than ${count - 1}: add or remove one.`,
    );
  } else if (count === 1 && cluster.members.length > 1) {
    report(
      "cluster.dcs.members",
      "expected 3 or more for a cluster of several members, got 1. If that host fails, no leader can be elected.",
    );
  }
}

function replicationHasReplicas({ cluster }: Settings, report: Report): void {
  const { mode } = cluster.replication;
  const path = "cluster.replication.mode";
  if (mode === "asynchronous" || cluster.members.length === 1) {
    if (mode !== "asynchronous" && mode !== "synchronous") {
      report(path, `expected several members for "${mode}", got one. Nothing could be written.`);
    }
    return;
  }
  if (mode !== "synchronous" && cluster.members.length < 3) {
    report(
      path,
      `expected 3 or more members for "${mode}", got ${cluster.members.length}: one failure would block all writes.`,
    );
  }
  const candidates = cluster.members.filter(({ tags }) => !tags.nosync && !tags.nofailover);
  if (candidates.length < 2) {
    report(
      path,
      `expected two members without nosync and nofailover for "${mode}", got ${candidates.length}.`,
    );
  }
}

function timingsFit({ cluster }: Settings, report: Report): void {
  if ("profile" in cluster.failover) return;
  const { ttl, loopWait, retryTimeout } = cluster.failover;
  // Patroni 3.2 and newer would only warn and shorten the others (patroni/config.py, _validate_and_adjust_timeouts).
  if (loopWait + 2 * retryTimeout > ttl) {
    report(
      "cluster.failover",
      `expected loopWait + 2 × retryTimeout ≤ ttl, got ${loopWait} + 2 × ${retryTimeout} > ${ttl}.`,
    );
  }
}

function vipFits({ hosts, cluster }: Settings, report: Report): void {
  const balancers = cluster.loadBalancers;
  if (!balancers?.vip) return;
  const path = "cluster.loadBalancers.vip";
  const [vip = "", prefix = ""] = balancers.vip.split("/");
  const family = isIPv4(vip) ? "ipv4" : "ipv6";
  const owner = Object.entries(hosts).find(([, host]) => host.address === vip);
  if (owner) report(path, `expected an address of no host, got that of ${owner[0]}.`);
  if (Number(prefix) > (family === "ipv4" ? 32 : 128)) {
    report(path, `expected a prefix length up to ${family === "ipv4" ? 32 : 128}, got ${prefix}.`);
    return;
  }
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
  const segment = new BlockList();
  segment.addSubnet(vip, Number(prefix), family);
  for (const name of balancers.hosts) {
    const address = hosts[name]?.address;
    if (address && !segment.check(address, isIPv4(address) ? "ipv4" : "ipv6")) {
      report(path, `expected the network of ${name} (${address}), got ${balancers.vip}.`);
    }
  }
}

function ownersExist({ cluster }: Settings, report: Report): void {
  const users = cluster.postgresql.users.map((user) => user.name);
  cluster.postgresql.databases.forEach((database, i) => {
    if (!users.includes(database.owner)) {
      report(
        `cluster.postgresql.databases[${i}].owner`,
        `expected one of postgresql.users (${users.join(", ") || "there is none"}), got "${database.owner}".`,
      );
    }
  });
  const reserved = ["postgres", "replicator", "rewinder"];
  cluster.postgresql.users.forEach((user, i) => {
    if (reserved.includes(user.name) || user.name.startsWith("pg_")) {
      report(
        `cluster.postgresql.users[${i}].name`,
        `"${user.name}" is reserved. Choose another name.`,
      );
    }
    if (users.indexOf(user.name) !== i) {
      report(
        `cluster.postgresql.users[${i}].name`,
        `"${user.name}" stands there twice. Remove one.`,
      );
    }
  });
}

/** Patroni's REST API. */
const PATRONI_PORT = 8008;

function portsDiffer({ cluster }: Settings, report: Report): void {
  const used: [path: string, port: number, hosts: string[]][] = [];
  const members = cluster.members.map((member) => member.host);
  used.push(["cluster.postgresql.port", cluster.postgresql.port, members]);
  used.push(["Patroni's REST API", PATRONI_PORT, members]);
  used.push(["cluster.dcs.clientPort", cluster.dcs.clientPort, cluster.dcs.members]);
  used.push(["cluster.dcs.peerPort", cluster.dcs.peerPort, cluster.dcs.members]);
  const balancers = cluster.loadBalancers;
  for (const [key, port] of Object.entries(balancers?.ports ?? {})) {
    used.push([`cluster.loadBalancers.ports.${key}`, port, balancers?.hosts ?? []]);
  }
  used.forEach(([path, port, hosts], i) => {
    const clash = used
      .slice(0, i)
      .find(
        ([, other, otherHosts]) =>
          other === port && otherHosts.some((host) => hosts.includes(host)),
      );
    if (clash)
      report(
        path,
        `expected a port of its own, got ${port}, which ${clash[0]} uses on the same host.`,
      );
  });
}

function hbaIsSafe({ cluster }: Settings, report: Report): void {
  cluster.postgresql.pgHba.forEach((line, i) => {
    const path = `cluster.postgresql.pgHba[${i}]`;
    const fields = line.trim().split(/\s+/);
    if (/[\n\r]/.test(line)) report(path, "expected one line, got several.");
    if (!/^(local|host|hostssl|hostnossl|hostgssenc|hostnogssenc)$/.test(fields[0] ?? "")) {
      report(
        path,
        `expected a line such as "host app app 10.0.0.0/24 scram-sha-256", got "${line}".`,
      );
    }
    const method = fields.at(fields[0] === "local" ? 3 : 4) ?? "";
    for (const weak of ["trust", "md5", "password"]) {
      if (method === weak) {
        report(
          path,
          `expected scram-sha-256, cert or reject, got "${weak}", which lets strangers in.`,
        );
      }
    }
  });
}

function hooksHaveHosts({ hosts, ssh, cluster }: Settings, report: Report): void {
  cluster.hooks.forEach((hook, i) => {
    if (hook.on === "local") return;
    if (!hosts[hook.on]) {
      report(
        `cluster.hooks[${i}].on`,
        `expected "local" or one of pgherd:hosts (${Object.keys(hosts).join(", ")}), got "${hook.on}".`,
      );
    } else if (!hosts[hook.on]?.hostKey || ssh.identityFile) {
      report(
        `cluster.hooks[${i}].on`,
        `a command on a host needs pgherd:hosts.${hook.on}.hostKey and an SSH agent instead of identityFile, since ` +
          "@pulumi/command would write the private key into the state.",
      );
    }
  });
}
