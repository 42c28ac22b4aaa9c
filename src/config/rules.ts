import { BlockList, isIP, isIPv4 } from "node:net";
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
        `expected one of pgherd:hosts (${Object.keys(hosts).join(", ")}), got "${host}". Add the host or mend the name.`,
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
        `expected an address of its own, got that of ${other}, ${address}. Mend one of them.`,
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
        report(`${path}[${i}]`, `expected each host once, got "${name}" again. Remove one.`);
    });
  }
}

function etcdHasMajority({ cluster }: Settings, report: Report): void {
  const count = cluster.dcs.members.length;
  if (count % 2 === 0) {
    report(
      "cluster.dcs.members",
      `expected an odd number of hosts, got ${count}: they survive no more failures than ${count - 1}. Add or remove one.`,
    );
  } else if (count === 1 && cluster.members.length > 1) {
    report(
      "cluster.dcs.members",
      "expected 3 or more hosts for a cluster of several members, got 1: if it fails, no leader can be elected. Add two.",
    );
  }
}

function replicationHasReplicas({ cluster }: Settings, report: Report): void {
  const { mode } = cluster.replication;
  const path = "cluster.replication.mode";
  if (mode === "asynchronous" || cluster.members.length === 1) {
    if (mode !== "asynchronous" && mode !== "synchronous") {
      report(
        path,
        `expected several members for "${mode}", got one: nothing could be written. Add members or choose "synchronous".`,
      );
    }
    return;
  }
  if (mode !== "synchronous" && cluster.members.length < 3) {
    report(
      path,
      `expected 3 or more members for "${mode}", got ${cluster.members.length}: one failure would block all writes. ` +
        'Add a member or choose "synchronous".',
    );
  }
  const candidates = cluster.members.filter(({ tags }) => !tags.nosync && !tags.nofailover);
  if (candidates.length < 2) {
    report(
      path,
      `expected two members without nosync and nofailover for "${mode}", got ${candidates.length}. Remove such a tag.`,
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
      `expected loopWait + 2 × retryTimeout ≤ ttl, got ${loopWait} + 2 × ${retryTimeout} > ${ttl}. Raise ttl or lower the others.`,
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
  if (owner)
    report(
      path,
      `expected an address that no host has, got that of ${owner[0]}, ${vip}. Choose a free one.`,
    );
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
      report(
        path,
        `expected an address in the network of ${name} (${address}), got ${balancers.vip}. Choose one there.`,
      );
    }
  }
}

function ownersExist({ cluster }: Settings, report: Report): void {
  const users = cluster.postgresql.users.map((user) => user.name);
  const databases = cluster.postgresql.databases.map((database) => database.name);
  cluster.postgresql.databases.forEach((database, i) => {
    if (databases.indexOf(database.name) !== i) {
      report(
        `cluster.postgresql.databases[${i}].name`,
        `expected each database once, got "${database.name}" again. Remove one.`,
      );
    }
    if (!users.includes(database.owner)) {
      report(
        `cluster.postgresql.databases[${i}].owner`,
        `expected one of postgresql.users (${users.join(", ") || "there is none"}), got "${database.owner}". Add the user or mend the name.`,
      );
    }
  });
  const reserved = ["postgres", "replicator", "rewinder"];
  cluster.postgresql.users.forEach((user, i) => {
    if (reserved.includes(user.name) || user.name.startsWith("pg_")) {
      report(
        `cluster.postgresql.users[${i}].name`,
        `expected a name that is not reserved, got "${user.name}". Choose another name.`,
      );
    }
    if (users.indexOf(user.name) !== i) {
      report(
        `cluster.postgresql.users[${i}].name`,
        `expected each user once, got "${user.name}" again. Remove one.`,
      );
    }
  });
}

/** Patroni's REST API. */
const PATRONI_PORT = 8008;

function portsDiffer({ cluster }: Settings, report: Report): void {
  const used: [path: string, port: number, hosts: string[]][] = [];
  const members = cluster.members.map((member) => member.host);
  // First, so that a clash is reported where a user can mend it.
  used.push(["Patroni's REST API", PATRONI_PORT, members]);
  used.push(["cluster.postgresql.port", cluster.postgresql.port, members]);
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
        `expected a port of its own, got ${port}, which ${clash[0]} uses on the same host. Choose another.`,
      );
  });
}

function hbaIsSafe({ cluster }: Settings, report: Report): void {
  cluster.postgresql.pgHba.forEach((line, i) => {
    const path = `cluster.postgresql.pgHba[${i}]`;
    const fields = line.trim().split(/\s+/);
    if (/[\n\r]/.test(line))
      report(path, "expected one line, got several. Make each an entry of its own.");
    if (!/^(local|host|hostssl|hostnossl|hostgssenc|hostnogssenc)$/.test(fields[0] ?? "")) {
      report(
        path,
        `expected a line such as "host app app 10.0.0.0/24 scram-sha-256", got "${line}".`,
      );
    }
    // The address may have its mask as a field of its own (pg_hba.conf: "IP-address IP-mask").
    const at = fields[0] === "local" ? 3 : isIP(fields[4] ?? "") ? 5 : 4;
    const method = (fields[at] ?? "").replaceAll('"', "");
    for (const weak of ["trust", "md5", "password"]) {
      if (method === weak) {
        report(
          path,
          `expected scram-sha-256, cert or reject, got "${weak}", which lets strangers in. Choose one of those.`,
        );
      }
    }
  });
}

function hooksHaveHosts({ hosts, ssh, cluster }: Settings, report: Report): void {
  cluster.hooks.forEach((hook, i) => {
    if (cluster.hooks.findIndex(({ name }) => name === hook.name) !== i) {
      report(
        `cluster.hooks[${i}].name`,
        `expected each name once, got "${hook.name}" again. Choose another.`,
      );
    }
    if (hook.on === "local") return;
    const host = hosts[hook.on];
    if (!host) {
      report(
        `cluster.hooks[${i}].on`,
        `expected "local" or one of pgherd:hosts (${Object.keys(hosts).join(", ")}), got "${hook.on}". Mend the name.`,
      );
      return;
    }
    const found = [
      host.hostKey ? [] : "no hostKey",
      (host.user ?? ssh.user) ? [] : "no user",
      (host.proxyJump ?? ssh.proxyJump) ? "a proxyJump" : [],
      ssh.identityFile ? "an identityFile" : [],
    ].flat();
    if (found.length > 0) {
      report(
        `cluster.hooks[${i}].on`,
        `expected ${hook.on} to be reached directly by an SSH agent, with hostKey and user in pgherd:hosts, got ${found.join(", ")}: ` +
          "@pulumi/command reads no SSH configuration, and would write a private key into the state. " +
          "Mend these, or use `on: local` with ssh in the command.",
      );
    }
  });
}
