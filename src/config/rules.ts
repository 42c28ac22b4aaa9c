import { BlockList, isIP, isIPv4 } from "node:net";
import { parameterProblems } from "./parameters";
import { longestGapDays, windowDays } from "./schedule";
import type { Settings } from "./schema";
import { LEAST_RETRY_TIMEOUT, secondsToNotice, timings } from "./timings";

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
  addressesAreOfOneFamily,
  membersDiffer,
  etcdHasMajority,
  tagsFit,
  replicationHasReplicas,
  timingsFit,
  balancersNoticeInTime,
  vipsFit,
  clientsAreKnown,
  ownersExist,
  slotsFit,
  parametersFit,
  portsDiffer,
  forksFit,
  hbaIsSafe,
  backupsOutlast,
  hooksHaveHosts,
  migrationFits,
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

function addressesAreOfOneFamily({ hosts }: Settings, report: Report): void {
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

function tagsFit({ cluster }: Settings, report: Report): void {
  const names = cluster.members.map(({ host }) => host);
  cluster.members.forEach(({ host, tags }, i) => {
    const path = `cluster.members[${i}].tags`;
    if (tags.nofailover && (tags.failover_priority ?? 0) > 0) {
      report(
        `${path}.failover_priority`,
        `expected 0 or nothing beside nofailover, got ${tags.failover_priority}. Remove one of the two.`,
      );
    }
    if (tags.replicatefrom === undefined) return;
    if (tags.replicatefrom === host || !names.includes(tags.replicatefrom)) {
      report(
        `${path}.replicatefrom`,
        `expected another member (${names.filter((name) => name !== host).join(", ")}), got "${tags.replicatefrom}". Mend the name.`,
      );
    } else if (inCircle(host, cluster.members)) {
      report(
        `${path}.replicatefrom`,
        `expected a chain that ends at the leader, got a circle through "${tags.replicatefrom}". Remove one link.`,
      );
    }
  });
  const leaders = cluster.members.filter(({ tags }) => mayLead(tags));
  if (leaders.length === 0) {
    report(
      "cluster.members",
      "expected a member that may lead, got nofailover on all of them. Remove it from one.",
    );
  }
}

type Member = Settings["cluster"]["members"][number];

function mayLead(tags: Member["tags"]): boolean {
  return !tags.nofailover && tags.failover_priority !== 0;
}

/** Whether whoever follows `replicatefrom` from this member comes back to it. */
function inCircle(host: string, members: readonly Member[]): boolean {
  let at: string | undefined = host;
  for (let steps = 0; steps < members.length; steps++) {
    at = members.find((member) => member.host === at)?.tags.replicatefrom;
    if (at === undefined || at === host) return at === host;
  }
  return false;
}

function replicationHasReplicas({ cluster }: Settings, report: Report): void {
  const { mode, count, acceptBlocking } = cluster.replication;
  const path = "cluster.replication";
  if (mode === "asynchronous") {
    if (count > 1) {
      report(
        `${path}.count`,
        `expected nothing for "asynchronous", which waits for no replica, got ${count}. Remove it or choose another mode.`,
      );
    }
    return;
  }
  const able = cluster.members.filter(({ tags }) => !tags.nosync).length;
  if (mode === "synchronous") {
    if (cluster.members.length > 1 && able < 2) {
      report(
        `${path}.mode`,
        `expected two members without nosync for "synchronous", got ${able}. Remove such a tag.`,
      );
    }
  } else {
    // The leader, those that confirm, and one that may be away.
    const needed = count + (acceptBlocking ? 1 : 2);
    if (able < needed) {
      const blocked =
        able < count + 1 ? "nothing could be written" : "one failure would stop all writes";
      report(
        `${path}.mode`,
        `expected ${needed} or more members without nosync for "${mode}", got ${able}: ${blocked}. ` +
          'Add members or choose "synchronous"' +
          (able < count + 1 ? "." : ", or accept it with replication.acceptBlocking: true."),
      );
    }
    return;
  }
  if (count > 1 && count >= able) {
    report(
      `${path}.count`,
      `expected less than the ${able} members without nosync, got ${count}. Lower it or add members.`,
    );
  }
}

function timingsFit({ cluster }: Settings, report: Report): void {
  if ("profile" in cluster.failover) return;
  const { ttl, loopWait, retryTimeout } = cluster.failover;
  if (retryTimeout < LEAST_RETRY_TIMEOUT) {
    report(
      "cluster.failover.retryTimeout",
      `expected ${LEAST_RETRY_TIMEOUT} or more, got ${retryTimeout}: with etcd, Patroni would never elect a new leader. Raise it.`,
    );
  }
  // Patroni 3.2 and newer would only warn and shorten the others (patroni/config.py, _validate_and_adjust_timeouts).
  if (loopWait + 2 * retryTimeout > ttl) {
    report(
      "cluster.failover",
      `expected loopWait + 2 × retryTimeout ≤ ttl, got ${loopWait} + 2 × ${retryTimeout} > ${ttl}. Raise ttl or lower the others.`,
    );
  }
}

/** A leader that hangs just before it renews its lease has `ttl - loopWait` seconds left of it. */
function balancersNoticeInTime({ cluster }: Settings, report: Report): void {
  if (!cluster.loadBalancers) return;
  const { ttl, loopWait, checks } = timings(cluster.failover);
  const needed = secondsToNotice(checks);
  if (needed > ttl - loopWait) {
    report(
      "cluster.failover.checks",
      `expected HAProxy to leave a silent leader within ttl - loopWait = ${ttl - loopWait} s, before another can be promoted, ` +
        `got ${round(needed)} s (interval + fall × the longer of interval and timeout + (fall - 1) × fastInterval). ` +
        "Shorten the checks or raise ttl.",
    );
  }
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

function vipsFit({ hosts, cluster }: Settings, report: Report): void {
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

function clientsAreKnown({ cluster }: Settings, report: Report): void {
  if (!cluster.firewall || cluster.firewall.clients) return;
  if ((cluster.loadBalancers?.vip ?? []).length > 0) return;
  report(
    "cluster.firewall.clients",
    "expected the networks of the clients, got nothing: without a virtual IP they cannot be guessed. " +
      'Set them, e.g. ["10.0.0.0/24"], or set firewall: false.',
  );
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
  const reserved = ["postgres", "replicator", "rewinder", "barman", "streaming_barman"];
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

function slotsFit({ cluster }: Settings, report: Report): void {
  const { slots, databases } = cluster.postgresql;
  for (const [name, slot] of Object.entries(slots)) {
    const path = `cluster.postgresql.slots.${name}`;
    // Patroni names the slot of a member after it (patroni/dcs, slot_name_from_member_name).
    if (cluster.members.some(({ host }) => host.replaceAll("-", "_") === name)) {
      report(
        path,
        `expected a name that no member's own slot has, got "${name}". Choose another name.`,
      );
    }
    if (cluster.backup && name === "barman") {
      report(path, 'expected another name, got "barman", which the backups use. Choose another.');
    }
    if (slot.type === "logical" && !databases.some((database) => database.name === slot.database)) {
      const known = databases.map((database) => database.name).join(", ");
      report(
        `${path}.database`,
        `expected one of postgresql.databases (${known || "there is none"}), got "${slot.database}". Add the database or mend the name.`,
      );
    }
  }
}

function parametersFit({ cluster }: Settings, report: Report): void {
  for (const [name, problem] of parameterProblems(cluster)) {
    report(`cluster.postgresql.parameters.${name}`, problem);
  }
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
  cluster.forks.forEach(({ port }, i) => used.push([`cluster.forks[${i}].port`, port, members]));
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

function forksFit({ cluster }: Settings, report: Report): void {
  const names = cluster.forks.map((fork) => fork.name);
  const sources = ["replica", ...cluster.members.map((member) => member.host)];
  cluster.forks.forEach(({ name, from }, i) => {
    if (names.indexOf(name) !== i)
      report(
        `cluster.forks[${i}].name`,
        `expected each fork once, got "${name}" again. Choose another name.`,
      );
    if (!sources.includes(from))
      report(
        `cluster.forks[${i}].from`,
        `expected one of ${sources.join(", ")}, got "${from}". Mend the name.`,
      );
    else if (from === "replica" && cluster.members.length === 1)
      report(
        `cluster.forks[${i}].from`,
        `expected "${cluster.members[0]?.host}", got "replica", which a cluster of one member has not. Name the member.`,
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
    const from = (fields[0] === "local" ? "" : (fields[3] ?? "")).replaceAll('"', "");
    if (
      !cluster.postgresql.pgHbaFromAnywhere &&
      method(fields) !== "reject" &&
      FROM_ANYWHERE.test(from)
    ) {
      report(
        path,
        `expected the networks of the clients, got "${from}", which is everybody. Name them, or set postgresql.pgHbaFromAnywhere: true.`,
      );
    }
    for (const weak of ["trust", "md5", "password"]) {
      if (method(fields) === weak) {
        report(
          path,
          `expected scram-sha-256, cert or reject, got "${weak}", which lets strangers in. Choose one of those.`,
        );
      }
    }
  });
}

/** How the user of a line of pg_hba.conf proves who he is. */
function method(fields: readonly string[]): string {
  // The address may have its mask as a field of its own (pg_hba.conf: "IP-address IP-mask").
  const at = fields[0] === "local" ? 3 : isIP(fields[4] ?? "") ? 5 : 4;
  return (fields[at] ?? "").replaceAll('"', "");
}

const FROM_ANYWHERE = /^(all|0\.0\.0\.0(\/0)?|::(\/0)?)$/;

/** A backup must outlive what is lost with a database host, and the next one must come before it is too old. */
function backupsOutlast({ cluster }: Settings, report: Report): void {
  const { backup, members, postgresql } = cluster;
  if (backup) {
    if (!backup.onDatabaseHost && members.some(({ host }) => host === backup.host)) {
      report(
        "cluster.backup.host",
        `expected a host that is no member, got "${backup.host}": what destroys it would take the database and its backups. ` +
          "Choose another host, or accept it with backup.onDatabaseHost: true.",
      );
    }
    const gap = longestGapDays(backup.schedule);
    const kept = windowDays(backup.retention);
    if (kept < gap) {
      report(
        "cluster.backup.retention",
        `expected ${gap} DAYS or more, since up to ${gap} days lie between two backups of "${backup.schedule}", got "${backup.retention}". ` +
          "Keep them longer, or take them more often.",
      );
    }
    const databases = postgresql.databases.map(({ name }) => name);
    (backup.verify ? backup.verify.checks : []).forEach(({ database }, i) => {
      if (database !== "postgres" && !databases.includes(database)) {
        report(
          `cluster.backup.verify.checks[${i}].database`,
          `expected one of postgresql.databases (${databases.join(", ") || "there is none"}), got "${database}". Mend the name.`,
        );
      }
    });
  }
  const { bootstrap } = postgresql;
  if (bootstrap && members.some(({ host }) => host === bootstrap.host)) {
    report(
      "cluster.postgresql.bootstrap.host",
      `expected a host of another cluster, got the member "${bootstrap.host}". Mend the name.`,
    );
  }
  if (bootstrap && !bootstrap.backup) {
    const [kind = ""] = Object.keys(bootstrap.target ?? {});
    if (["xid", "name"].includes(kind)) {
      report(
        "cluster.postgresql.bootstrap.backup",
        `expected the backup to begin with, since a ${kind} alone does not tell when it was, got nothing. \`pgherd backup list\` of that cluster shows them.`,
      );
    }
  }
  if (bootstrap && bootstrap.cluster === cluster.name) {
    report(
      "cluster.postgresql.bootstrap.cluster",
      `expected another cluster, got "${bootstrap.cluster}" itself. \`pgherd restore\` brings a cluster back in place.`,
    );
  }
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

function migrationFits(settings: Settings, report: Report): void {
  const { cluster } = settings;
  const { migration, hooks } = cluster;
  if (!migration) {
    hooks.forEach((hook, i) => {
      if (hook.when === "cutOver")
        report(
          `cluster.hooks[${i}].when`,
          'expected "before" or "after", got "cutOver", which only a migration has. Choose another, or set pgherd:cluster.migration.',
        );
    });
    return;
  }
  if (migration.method === "standbyCluster") standbyFits(settings, migration.from, report);
  else adoptionFits(cluster, migration.from, report);
}

/** The server is one of the members. */
function adoptionFits({ members }: Settings["cluster"], from: string, report: Report): void {
  const names = members.map(({ host }) => host);
  const source = members.find(({ host }) => host === from);
  if (!source) {
    report(
      "cluster.migration.from",
      `expected one of pgherd:cluster.members (${names.join(", ")}), got "${from}". Mend the name.`,
    );
  } else if (!mayLead(source.tags) || source.tags.replicatefrom !== undefined) {
    report(
      "cluster.migration.from",
      `expected a member that may lead, got "${from}" with tags that forbid it. Remove them until it is migrated.`,
    );
  }
  if (members.length < 2) {
    report(
      "cluster.members",
      `expected other members beside ${from}, got none. Add the new hosts.`,
    );
  }
}

/** The server is on a host that has no part in the cluster. */
function standbyFits({ hosts, cluster }: Settings, from: string, report: Report): void {
  const { members, dcs, loadBalancers, backup } = cluster;
  if (!hosts[from]) {
    report(
      "cluster.migration.from",
      `expected one of pgherd:hosts (${Object.keys(hosts).join(", ")}), got "${from}". Add the host of the old server there.`,
    );
  }
  const parts = [
    ...members.map(({ host }) => host),
    ...dcs.members,
    ...(loadBalancers?.hosts ?? []),
    ...(backup ? [backup.host] : []),
  ];
  if (parts.includes(from)) {
    report(
      "cluster.migration.from",
      `expected a host without a part in the cluster, got "${from}", which has one. Use other hosts, or the method adopt.`,
    );
  }
  if (cluster.postgresql.bootstrap) {
    report(
      "cluster.postgresql.bootstrap",
      "expected nothing, since the data comes from pgherd:cluster.migration.from. Remove it.",
    );
  }
}
