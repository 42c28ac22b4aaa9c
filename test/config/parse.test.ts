import { describe, expect, test } from "vitest";
import { parseSettings } from "../../src/config/parse";
import { ConfigError } from "../../src/errors";

/** The least that a cluster needs, and two hosts for load balancers. */
function minimal() {
  return {
    hosts: {
      a1: { address: "10.0.0.1" },
      a2: { address: "10.0.0.2" },
      a3: { address: "10.0.0.3" },
      b1: { address: "10.0.0.4" },
      b2: { address: "10.0.0.5" },
    } as Record<string, Record<string, unknown>>,
    cluster: {
      name: "shop",
      members: ["a1", "a2", "a3"],
      dcs: { kind: "etcd", members: ["a1", "a2", "a3"] },
      firewall: { clients: ["10.0.0.0/8"] },
    } as Record<string, unknown> & { dcs: { kind: string; members: string[] } },
  };
}

type Raw = ReturnType<typeof minimal>;

function problemsOf(raw: unknown): readonly string[] {
  try {
    parseSettings(raw);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems;
  }
  return [];
}

/** A change of some of the cluster's settings. */
const cluster = (settings: object) => (raw: Raw) => void Object.assign(raw.cluster, settings);
const postgresql = (settings: object) => cluster({ postgresql: settings });
const fork = (settings: object) => ({ name: "try", port: 5433, ...settings });
const balancers = (settings: object) =>
  cluster({ loadBalancers: { hosts: ["b1", "b2"], ...settings } });

const ALL_HOSTS = "a1, a2, a3, b1, b2";
const NO_SUCH_SETTING = "no such setting. Mend its name or remove it.";
const NO_SUCH_HOST = `expected one of pgherd:hosts (${ALL_HOSTS}), got "a9". Add the host or mend the name.`;
const firewall = (settings: object) =>
  cluster({ firewall: { clients: ["10.0.0.0/8"], ...settings } });
const A_NETWORK = 'expected a network such as "10.0.0.0/24" or "fd00::/64", or one address';

/** What is wrong, how, and all that the user is told. */
const BAD: [title: string, change: (raw: Raw) => void, ...problems: string[]][] = [
  [
    "an unknown setting of the cluster",
    cluster({ replicas: 2 }),
    `pgherd:cluster.replicas: ${NO_SUCH_SETTING}`,
  ],
  [
    "several mistakes in a block that could be left out as well",
    cluster({ firewall: { clients: ["300.1.1.1/24"], allow: [{ from: ["x"], port: 99999 }] } }),
    `pgherd:cluster.firewall.clients[0]: ${A_NETWORK}, got "300.1.1.1/24".`,
    `pgherd:cluster.firewall.allow[0].from[0]: ${A_NETWORK}, got "x".`,
    "pgherd:cluster.firewall.allow[0].port: expected 65535 or less, got 99999.",
  ],
  [
    "a setting of another form of the block",
    cluster({ failover: { profile: "fast", ttl: 30 } }),
    "pgherd:cluster.failover.ttl: it does not go with what else stands in this block, which has several forms. Remove one or the other.",
  ],
  [
    "an unknown setting of a host",
    (raw) => (raw.hosts.a1 = { address: "10.0.0.1", adress: "10.0.0.1" }),
    "pgherd:hosts.a1.adress: no such setting. Did you mean address?",
  ],
  [
    "an unknown tag",
    cluster({ members: [{ host: "a1", tags: { nofailver: true } }, "a2", "a3"] }),
    "pgherd:cluster.members[0].tags.nofailver: no such setting. Did you mean nofailover?",
  ],
  [
    "a host name as an address",
    (raw) => (raw.hosts.a1 = { address: "db1.example.org" }),
    'pgherd:hosts.a1.address: expected an IP address such as "10.89.0.11" or "fd00:89::11" (a name may resolve differently on each host), got "db1.example.org".',
  ],
  [
    "an address with a zone, which is another interface on each host",
    (raw) => (raw.hosts.a1 = { address: "fe80::1%eth0" }),
    'pgherd:hosts.a1.address: expected an IP address such as "10.89.0.11" or "fd00:89::11" (a name may resolve differently on each host), got "fe80::1%eth0".',
  ],
  [
    "a prefix length that begins with a zero, which some readers take for a number of base eight",
    firewall({ clients: ["10.0.0.0/024"] }),
    `pgherd:cluster.firewall.clients[0]: ${A_NETWORK}, got "10.0.0.0/024".`,
  ],
  [
    "a virtual IP with a zone",
    balancers({ vip: "fe80::1%eth0/64", interface: "eth0" }),
    'pgherd:cluster.loadBalancers.vip: expected an address with its prefix length, such as "10.89.0.100/24", got "fe80::1%eth0/64".',
  ],
  [
    "a name that JavaScript would lose",
    postgresql({ slots: JSON.parse('{ "__proto__": { "type": "physical" } }') as object }),
    `pgherd:cluster.postgresql.slots.__proto__: ${NO_SUCH_SETTING}`,
  ],
  [
    "a hook with a zero byte, where its shell would see an end",
    cluster({ hooks: [{ name: "h", when: "after", run: "echo\0 x" }] }),
    'pgherd:cluster.hooks[0].run: expected a shell command, got "echo\\u0000 x".',
  ],
  [
    "a host without an address",
    (raw) => (raw.hosts.a1 = {}),
    "pgherd:hosts.a1.address: expected a text, got nothing.",
  ],
  [
    "a host name that would need quoting",
    (raw) => (raw.hosts["A 1"] = { address: "10.0.0.9" }),
    'pgherd:hosts: expected each name to be a lower-case name such as demo-1 (letters, digits and hyphens, a letter first, 63 characters at most), got "A 1".',
  ],
  [
    "a cluster name that would need quoting",
    cluster({ name: "My Shop" }),
    'pgherd:cluster.name: expected a lower-case name such as demo-1 (letters, digits and hyphens, a letter first, 63 characters at most), got "My Shop".',
  ],
  [
    "no cluster at all",
    (raw) => delete (raw as Partial<Raw>).cluster,
    "pgherd:cluster: expected a block of settings, got nothing.",
  ],
  [
    "an unknown store",
    cluster({ dcs: { kind: "zookeeper", members: ["a1"] } }),
    'pgherd:cluster.dcs.kind: expected "etcd" or "consul", got "zookeeper".',
  ],
  [
    "no members",
    cluster({ members: [] }),
    "pgherd:cluster.members: expected a list of 1 or more, got [].",
  ],
  [
    "a member that is no name",
    cluster({ members: ["a1", "a2", 3] }),
    "pgherd:cluster.members[2]: expected a text, or a block of settings, got 3.",
  ],
  [
    "a port out of range",
    postgresql({ port: 70000 }),
    "pgherd:cluster.postgresql.port: expected 65535 or less, got 70000.",
  ],
  [
    "a version as a text",
    postgresql({ version: "17" }),
    'pgherd:cluster.postgresql.version: expected a number, got "17".',
  ],
  [
    "a version out of support",
    postgresql({ version: 12 }),
    "pgherd:cluster.postgresql.version: expected 13 or more, got 12.",
  ],
  [
    "an unknown replication mode",
    cluster({ replication: { mode: "sync" } }),
    'pgherd:cluster.replication.mode: expected "asynchronous" or "synchronous" or "strict" or "quorum", got "sync".',
  ],
  [
    "an unknown failover profile",
    cluster({ failover: { profile: "slow" } }),
    'pgherd:cluster.failover.profile: expected "default" or "fast" or "aggressive", got "slow".',
  ],
  [
    "failover timings of which one is missing",
    cluster({ failover: { ttl: 30, loopWait: 10 } }),
    "pgherd:cluster.failover.retryTimeout: expected a number, got nothing.",
  ],
  [
    "an extension that would need quoting",
    postgresql({
      users: [{ name: "app" }],
      databases: [{ name: "app", owner: "app", extensions: ["a;b"] }],
    }),
    'pgherd:cluster.postgresql.databases[0].extensions[0]: expected the name of an extension such as pg_trgm, got "a;b".',
  ],
  [
    "an interface that would need quoting",
    balancers({ vip: "10.0.0.100/24", interface: "eth0; reboot" }),
    'pgherd:cluster.loadBalancers.interface: expected a network interface such as eth0, got "eth0; reboot".',
  ],
  [
    "a virtual IP without a prefix length",
    balancers({ vip: "10.0.0.100", interface: "eth0" }),
    'pgherd:cluster.loadBalancers.vip: expected an address with its prefix length, such as "10.89.0.100/24", got "10.0.0.100".',
  ],
  [
    "an unknown host among the members",
    cluster({ members: ["a1", "a2", "a9"] }),
    `pgherd:cluster.members[2]: ${NO_SUCH_HOST}`,
  ],
  [
    "an unknown host in the store",
    cluster({ dcs: { kind: "etcd", members: ["a1", "a2", "a9"] } }),
    `pgherd:cluster.dcs.members[2]: ${NO_SUCH_HOST}`,
  ],
  [
    "an unknown host among the load balancers",
    balancers({ hosts: ["b1", "a9"] }),
    `pgherd:cluster.loadBalancers.hosts[1]: ${NO_SUCH_HOST}`,
  ],
  [
    "two hosts with one address",
    (raw) => (raw.hosts.a2 = { address: "10.0.0.1" }),
    "pgherd:hosts.a2.address: expected an address of its own, got that of a1, 10.0.0.1. Mend one of them.",
  ],
  [
    "an even number of etcd members",
    cluster({ dcs: { kind: "etcd", members: ["a1", "a2"] } }),
    "pgherd:cluster.dcs.members: expected an odd number of hosts, got 2: they survive no more failures than 1. Add or remove one.",
  ],
  [
    "a single etcd member for several members",
    cluster({ dcs: { kind: "etcd", members: ["a1"] } }),
    "pgherd:cluster.dcs.members: expected 3 or more hosts for a cluster of several members, got 1: if it fails, no leader can be elected. Add two.",
  ],
  [
    "a host that is given up and has a part still",
    cluster({ removed: ["a3"] }),
    'pgherd:cluster.removed[0]: expected a host that has no part in the cluster any more, got "a3", which stands in members[2], dcs.members[2]. ' +
      "A host that votes in the DCS cannot be given up yet: bring it back, or a new one by its name and address.",
  ],
  [
    "the same member twice",
    cluster({ members: ["a1", "a2", "a2"] }),
    'pgherd:cluster.members[2]: expected each host once, got "a2" again. Remove one.',
  ],
  [
    "strict replication with two members",
    cluster({ members: ["a1", "a2"], replication: { mode: "strict" } }),
    'pgherd:cluster.replication.mode: expected 3 or more members without nosync for "strict", got 2: one failure would stop all writes. Add members or choose "synchronous", or accept it with replication.acceptBlocking: true.',
  ],
  [
    "strict replication with one member",
    cluster({ members: ["a1"], replication: { mode: "strict" } }),
    'pgherd:cluster.replication.mode: expected 3 or more members without nosync for "strict", got 1: nothing could be written. Add members or choose "synchronous".',
  ],
  [
    "synchronous replication of which no replica may be part",
    cluster({ members: ["a1", { host: "a2", tags: { nosync: true } }] }),
    'pgherd:cluster.replication.mode: expected two members without nosync for "synchronous", got 1. Remove such a tag.',
  ],
  [
    "a strict mode that one failure would break",
    cluster({ replication: { mode: "strict", count: 2 } }),
    'pgherd:cluster.replication.mode: expected 4 or more members without nosync for "strict", got 3: one failure would stop all writes. Add members or choose "synchronous", or accept it with replication.acceptBlocking: true.',
  ],
  [
    "a quorum of more replicas than there are",
    cluster({ replication: { mode: "quorum", count: 3 } }),
    "pgherd:cluster.replication.count: expected less than the 3 members without nosync, got 3. Lower it or add members.",
  ],
  [
    "more synchronous replicas than there are",
    cluster({ replication: { mode: "synchronous", count: 3 } }),
    "pgherd:cluster.replication.count: expected less than the 3 members without nosync, got 3. Lower it or add members.",
  ],
  [
    "a count of replicas that nobody waits for",
    cluster({ replication: { mode: "asynchronous", count: 2 } }),
    'pgherd:cluster.replication.count: expected nothing for "asynchronous", which waits for no replica, got 2. Remove it or choose another mode.',
  ],
  [
    "members of which none may lead",
    cluster({
      members: [
        { host: "a1", tags: { nofailover: true } },
        { host: "a2", tags: { failover_priority: 0 } },
        { host: "a3", tags: { nofailover: true } },
      ],
    }),
    "pgherd:cluster.members: expected a member that may lead, got nofailover on all of them. Remove it from one.",
  ],
  [
    "a priority for a member that never leads",
    cluster({
      members: ["a1", "a2", { host: "a3", tags: { nofailover: true, failover_priority: 2 } }],
    }),
    "pgherd:cluster.members[2].tags.failover_priority: expected 0 or nothing beside nofailover, got 2. Remove one of the two.",
  ],
  [
    "a replica of a member that is not there",
    cluster({ members: ["a1", "a2", { host: "a3", tags: { replicatefrom: "b1" } }] }),
    'pgherd:cluster.members[2].tags.replicatefrom: expected another member (a1, a2), got "b1". Mend the name.',
  ],
  [
    "replicas that follow each other",
    cluster({
      members: [
        "a1",
        { host: "a2", tags: { replicatefrom: "a3" } },
        { host: "a3", tags: { replicatefrom: "a2" } },
      ],
    }),
    'pgherd:cluster.members[1].tags.replicatefrom: expected a chain that ends at the leader, got a circle through "a3". Remove one link.',
    'pgherd:cluster.members[2].tags.replicatefrom: expected a chain that ends at the leader, got a circle through "a2". Remove one link.',
  ],
  [
    "checks that notice a lost leader too late",
    (raw) => {
      balancers({})(raw);
      cluster({
        failover: {
          ...{ ttl: 20, loopWait: 10, retryTimeout: 5 },
          checks: { interval: 3, fastInterval: 1, timeout: 3, fall: 3, rise: 2 },
        },
      })(raw);
    },
    "pgherd:cluster.failover.checks: expected HAProxy to leave a silent leader within ttl - loopWait = 10 s, before another can be promoted, got 14 s (interval + fall × the longer of interval and timeout + (fall - 1) × fastInterval). Shorten the checks or raise ttl.",
  ],
  [
    "a size without its unit",
    cluster({ failover: { profile: "fast", maximumLag: 1048576 } }),
    "pgherd:cluster.failover.maximumLag: expected a text, got 1048576.",
  ],
  [
    "a size in a unit that PostgreSQL does not know",
    postgresql({ resources: { memory: "16GiB" } }),
    'pgherd:cluster.postgresql.resources.memory: expected a size such as "512MB" (a whole number with kB, MB, GB or TB), got "16GiB".',
  ],
  [
    "hosts of two address families",
    (raw) => (raw.hosts.b2 = { address: "fd00::5" }),
    "pgherd:hosts.b2.address: expected an IPv4 address like that of a1, got fd00::5: hosts reach each other by one family. Give all hosts addresses of one.",
  ],
  [
    "two virtual IPs of one family",
    balancers({ vip: ["10.0.0.100/24", "10.0.0.101/24"], interface: "eth0" }),
    "pgherd:cluster.loadBalancers.vip: expected an IPv4 and an IPv6 address, got two of IPv4. Remove one of them.",
  ],
  [
    "a virtual IP of a family that the balancers do not speak",
    balancers({ vip: "fd00::100/64", interface: "eth0" }),
    "pgherd:cluster.loadBalancers.vip: expected an IPv4 address, which is what the load balancers speak among themselves, got fd00::100/64. Add one.",
  ],
  [
    "a firewall that knows no clients",
    cluster({ firewall: {} }),
    'pgherd:cluster.firewall.clients: expected the networks of the clients, got nothing: without a virtual IP they cannot be guessed. Set them, e.g. ["10.0.0.0/24"], or set firewall: false.',
  ],
  [
    "a network that is none",
    firewall({ clients: ["10.0.0.0/33"] }),
    `pgherd:cluster.firewall.clients[0]: ${A_NETWORK}, got "10.0.0.0/33".`,
  ],
  [
    "an unknown host in the firewall",
    firewall({ allow: [{ hosts: ["a9"], from: ["10.0.0.7"], port: 9100 }] }),
    `pgherd:cluster.firewall.allow[0].hosts[0]: ${NO_SUCH_HOST}`,
  ],
  [
    "a kernel setting that is a path",
    cluster({ system: { sysctl: { "../../etc": 1 } } }),
    'pgherd:cluster.system.sysctl: expected each name to be a kernel setting such as vm.swappiness, got "../../etc".',
  ],
  [
    "a virtual router that VRRP does not have",
    balancers({ virtualRouterId: 256 }),
    "pgherd:cluster.loadBalancers.virtualRouterId: expected 255 or less, got 256.",
  ],
  [
    "a package that would need quoting",
    postgresql({ packages: ["postgis; reboot"] }),
    'pgherd:cluster.postgresql.packages[0]: expected the name of a Debian package such as postgresql-17-postgis-3, got "postgis; reboot".',
  ],
  [
    "a slot with the name of a member's own",
    postgresql({ slots: { a1: { type: "physical" } } }),
    'pgherd:cluster.postgresql.slots.a1: expected a name that no member\'s own slot has, got "a1". Choose another name.',
  ],
  [
    "a logical slot of an unknown database",
    postgresql({ slots: { events: { type: "logical", database: "shop" } } }),
    'pgherd:cluster.postgresql.slots.events.database: expected one of postgresql.databases (there is none), got "shop". Add the database or mend the name.',
  ],
  [
    "two forks of one name",
    cluster({ forks: [fork({}), fork({ port: 5434 })] }),
    'pgherd:cluster.forks[1].name: expected each fork once, got "try" again. Choose another name.',
  ],
  [
    "a fork on the port of another daemon, and two on one",
    cluster({ forks: [fork({ port: 5432 }), fork({ name: "b" }), fork({ name: "c" })] }),
    "pgherd:cluster.forks[0].port: expected a port of its own, got 5432, which cluster.postgresql.port uses on the same host. Choose another.",
    "pgherd:cluster.forks[2].port: expected a port of its own, got 5433, which cluster.forks[1].port uses on the same host. Choose another.",
  ],
  [
    "a fork from no member",
    cluster({ forks: [fork({ from: "b1" })] }),
    'pgherd:cluster.forks[0].from: expected one of replica, a1, a2, a3, got "b1". Mend the name.',
  ],
  [
    "a fork from a replica that there is not",
    cluster({ members: ["a1"], forks: [fork({})] }),
    'pgherd:cluster.forks[0].from: expected "a1", got "replica", which a cluster of one member has not. Name the member.',
  ],
  [
    "a fork that ends at no time",
    cluster({ forks: [fork({ ttl: "soon" })] }),
    'pgherd:cluster.forks[0].ttl: expected a time such as "8h" or "3d", got "soon".',
  ],
  [
    "a virtual IP without its interface",
    balancers({ vip: "10.0.0.100/24" }),
    "pgherd:cluster.loadBalancers.interface: expected the interface that carries the vip, got nothing. `ip -brief address` on the host shows it.",
  ],
  [
    "a virtual IP with a single load balancer",
    balancers({ hosts: ["b1"], vip: "10.0.0.100/24", interface: "eth0" }),
    "pgherd:cluster.loadBalancers.vip: expected two load balancers for a virtual IP, got one. Add a host or remove the vip.",
  ],
  [
    "a host's address as the virtual IP",
    balancers({ vip: "10.0.0.1/24", interface: "eth0" }),
    "pgherd:cluster.loadBalancers.vip: expected an address that no host has, got that of a1, 10.0.0.1. Choose a free one.",
  ],
  [
    "a virtual IP of another network",
    balancers({ vip: "10.0.1.100/24", interface: "eth0" }),
    "pgherd:cluster.loadBalancers.vip: expected an address in the network of b1 (10.0.0.4), got 10.0.1.100/24. Choose one there.",
    "pgherd:cluster.loadBalancers.vip: expected an address in the network of b2 (10.0.0.5), got 10.0.1.100/24. Choose one there.",
  ],
  [
    "a prefix length that its family does not have",
    balancers({ vip: "10.0.0.100/64", interface: "eth0" }),
    "pgherd:cluster.loadBalancers.vip: expected a prefix length up to 32, got 64.",
  ],
  [
    "one port for two entrances",
    balancers({ ports: { primary: 5000, replica: 5000 } }),
    "pgherd:cluster.loadBalancers.ports.replica: expected a port of its own, got 5000, which cluster.loadBalancers.ports.primary uses on the same host. Choose another.",
  ],
  [
    "the port of Patroni's REST API for PostgreSQL",
    postgresql({ port: 8008 }),
    "pgherd:cluster.postgresql.port: expected a port of its own, got 8008, which Patroni's REST API uses on the same host. Choose another.",
  ],
  ...(
    [
      ["trust", "it asks nobody for anything"],
      ["md5", "whoever reads a login, or the stored password, can log in with it"],
      ["password", "the password can be read on its way"],
    ] as const
  ).map(([method, why]): (typeof BAD)[number] => [
    `pg_hba.conf with ${method}`,
    postgresql({ pgHba: [`host all all 10.0.0.0/8 ${method}`] }),
    `pgherd:cluster.postgresql.pgHba[0]: expected scram-sha-256, cert or reject, got "${method}": ${why}. Choose one of those.`,
  ]),
  [
    "pg_hba.conf with trust behind a separate mask",
    postgresql({ pgHba: ['host all all 10.0.0.0 255.0.0.0 "trust"'] }),
    'pgherd:cluster.postgresql.pgHba[0]: expected scram-sha-256, cert or reject, got "trust": it asks nobody for anything. Choose one of those.',
  ],
  [
    "pg_hba.conf with something else",
    postgresql({ pgHba: ["allow everything"] }),
    'pgherd:cluster.postgresql.pgHba[0]: expected a line such as "host app app 10.0.0.0/24 scram-sha-256", got "allow everything".',
  ],
  [
    "two lines of pg_hba.conf in one",
    postgresql({ pgHba: ["host all all ::/0 reject\nhost all all ::1/128 reject"] }),
    "pgherd:cluster.postgresql.pgHba[0]: expected one line, got several. Make each an entry of its own.",
  ],
  ...(["0.0.0.0/0", "::/0", "all"] as const).map((everybody): (typeof BAD)[number] => [
    `pg_hba.conf that lets in ${everybody}`,
    postgresql({ pgHba: [`hostssl all all ${everybody} scram-sha-256`] }),
    `pgherd:cluster.postgresql.pgHba[0]: expected the networks of the clients, got "${everybody}", which is everybody. Name them, or set postgresql.pgHbaFromAnywhere: true.`,
  ]),
  [
    "a user called as one of pgherd's own roles",
    postgresql({ users: [{ name: "replicator" }] }),
    'pgherd:cluster.postgresql.users[0].name: expected a name that is not reserved, got "replicator", whom replicas stream as. Choose another name.',
  ],
  [
    "the same user twice",
    postgresql({ users: [{ name: "app" }, { name: "app" }] }),
    'pgherd:cluster.postgresql.users[1].name: expected each user once, got "app" again. Remove one.',
  ],
  [
    "the same database twice",
    postgresql({
      users: [{ name: "app" }],
      databases: [
        { name: "app", owner: "app" },
        { name: "app", owner: "app" },
      ],
    }),
    'pgherd:cluster.postgresql.databases[1].name: expected each database once, got "app" again. Remove one.',
  ],
  [
    "an owner that is no user",
    postgresql({ users: [{ name: "app" }], databases: [{ name: "shop", owner: "shop" }] }),
    'pgherd:cluster.postgresql.databases[0].owner: expected one of postgresql.users (app), got "shop". Add the user or mend the name.',
  ],
  [
    "an owner where there are no users",
    postgresql({ databases: [{ name: "shop", owner: "shop" }] }),
    'pgherd:cluster.postgresql.databases[0].owner: expected one of postgresql.users (there is none), got "shop". Add the user or mend the name.',
  ],
  [
    "timings in which a retry outlasts the lease",
    cluster({ failover: { ttl: 20, loopWait: 10, retryTimeout: 10 } }),
    "pgherd:cluster.failover: expected loopWait + 2 × retryTimeout ≤ ttl, got 10 + 2 × 10 > 20. Raise ttl or lower the others.",
  ],
  [
    "a retry that leaves no time to take the lead",
    cluster({ failover: { ttl: 20, loopWait: 5, retryTimeout: 1 } }),
    "pgherd:cluster.failover.retryTimeout: expected 2 or more, got 1: with etcd, Patroni would never elect a new leader. Raise it.",
  ],
  [
    "a hook on an unknown host",
    cluster({ hooks: [{ name: "notify", when: "after", on: "a9", run: "true" }] }),
    `pgherd:cluster.hooks[0].on: expected "local" or one of pgherd:hosts (${ALL_HOSTS}), got "a9". Mend the name.`,
  ],
  [
    "a hook on a host whose key only known_hosts has",
    cluster({ hooks: [{ name: "notify", when: "after", on: "a1", run: "true" }] }),
    "pgherd:cluster.hooks[0].on: expected a1 to be reached directly by an SSH agent, with hostKey and user in pgherd:hosts, got no hostKey, no user: @pulumi/command reads no SSH configuration, and would write a private key into the state. Mend these, or use `on: local` with ssh in the command.",
  ],
  [
    "two hooks of one name",
    cluster({
      hooks: [
        { name: "notify", when: "before", run: "true" },
        { name: "notify", when: "after", run: "true" },
      ],
    }),
    'pgherd:cluster.hooks[1].name: expected each name once, got "notify" again. Choose another.',
  ],
  [
    "two broken rules",
    cluster({
      dcs: { kind: "etcd", members: ["a1", "a2"] },
      failover: { ttl: 20, loopWait: 10, retryTimeout: 10 },
    }),
    "pgherd:cluster.dcs.members: expected an odd number of hosts, got 2: they survive no more failures than 1. Add or remove one.",
    "pgherd:cluster.failover: expected loopWait + 2 × retryTimeout ≤ ttl, got 10 + 2 × 10 > 20. Raise ttl or lower the others.",
  ],
  [
    "two settings of the wrong form",
    (raw) => {
      raw.hosts.a1 = { address: "10.0.0.1", port: 0 };
      raw.cluster.replicas = 2;
    },
    "pgherd:hosts.a1.port: expected 1 or more, got 0.",
    `pgherd:cluster.replicas: ${NO_SUCH_SETTING}`,
  ],
];

describe("a bad configuration is refused with all its problems:", () => {
  test.each(BAD)("%s", (_title, change, ...problems) => {
    const raw = minimal();
    change(raw);
    expect(problemsOf(raw)).toEqual(problems);
  });
});

test("the error's text counts and lists the problems", () => {
  const raw = minimal();
  raw.cluster.replicas = 2;
  raw.cluster.standby = true;
  expect(() => parseSettings(raw)).toThrow(
    "2 problems in the stack's configuration:\n" +
      `  - pgherd:cluster.replicas: ${NO_SUCH_SETTING}\n` +
      `  - pgherd:cluster.standby: ${NO_SUCH_SETTING}`,
  );
});

test("a long value is shown by its beginning only", () => {
  const raw = minimal();
  raw.cluster.name = `${"x".repeat(1000)}!`;
  expect(problemsOf(raw)[0]).toMatch(/, got "x{59}….$/);
});

test("the minimal configuration gets its defaults", () => {
  const raw = minimal();
  expect(parseSettings(raw)).toEqual({
    hosts: raw.hosts,
    ssh: { sudo: true },
    cluster: {
      name: "shop",
      postgresql: {
        version: 17,
        port: 5432,
        dataChecksums: true,
        locale: "C.UTF-8",
        packages: [],
        resources: {},
        parameters: {},
        users: [],
        databases: [],
        slots: {},
        pgHba: [],
        pgHbaFirst: [],
        pgHbaFromAnywhere: false,
      },
      members: ["a1", "a2", "a3"].map((host) => ({ host, tags: {} })),
      replication: { mode: "synchronous", count: 1, acceptBlocking: false },
      failover: { profile: "default", maximumLag: "1MB", watchdog: "automatic" },
      rolling: { maximumLag: "10MB", longestTransaction: 15, drain: 15, wait: 120 },
      dcs: {
        ...{ kind: "etcd", members: ["a1", "a2", "a3"], clientPort: 2379, peerPort: 2380 },
        ...{ quota: "2GB", compaction: "1h" },
      },
      firewall: {
        ...{ clients: ["10.0.0.0/8"], ssh: ["0.0.0.0/0", "::/0"] },
        ...{ admins: [], monitors: [], allow: [] },
      },
      system: { sysctl: {}, transparentHugePages: "never", timeSync: true },
      forks: [],
      hooks: [],
    },
  });
});

test("load balancers get the documented ports", () => {
  const raw = minimal();
  balancers({})(raw);
  expect(parseSettings(raw).cluster.loadBalancers).toMatchObject({
    ports: { primary: 5000, replica: 5001, synchronous: 5002, asynchronous: 5003, stats: 7000 },
    virtualRouterId: 51,
    preempt: false,
    replicaFallback: false,
    vip: [],
    maxConnections: 4000,
  });
});

test.each([
  [
    "one member with one etcd",
    cluster({ members: ["a1"], dcs: { kind: "etcd", members: ["a1"] } }),
  ],
  ["strict replication with three members", cluster({ replication: { mode: "strict" } })],
  [
    "a quorum of two members, which goes on where one is away",
    cluster({ members: ["a1", "a2"], replication: { mode: "quorum" } }),
  ],
  ["a virtual IP in the balancers' network", balancers({ vip: "10.0.0.9/24", interface: "eth0" })],
  ["PostgreSQL's port on a balancer of its own", balancers({ ports: { primary: 5432 } })],
  ["a strong line of pg_hba.conf", postgresql({ pgHba: ["hostssl all all fd00::/8 cert"] })],
  [
    "everybody in pg_hba.conf if asked for",
    postgresql({ pgHba: ["hostssl all all ::/0 cert"], pgHbaFromAnywhere: true }),
  ],
  ["nobody in pg_hba.conf", postgresql({ pgHba: ["host all all all reject"] })],
  [
    "strict replication with two members if it is meant",
    cluster({ members: ["a1", "a2"], replication: { mode: "strict", acceptBlocking: true } }),
  ],
  ["no firewall", cluster({ firewall: false })],
  [
    "a firewall whose clients are in the virtual IP's network",
    (raw: Raw) => {
      balancers({ vip: "10.0.0.9/24", interface: "eth0" })(raw);
      cluster({ firewall: {} })(raw);
    },
  ],
  [
    "virtual IPs of both families",
    balancers({ vip: ["10.0.0.9/24", "fd00::9/64"], interface: "eth0" }),
  ],
  [
    "no load balancers and the shortest of checks",
    cluster({ failover: { profile: "aggressive" } }),
  ],
  [
    "the most aggressive profile with load balancers",
    (raw: Raw) => {
      balancers({})(raw);
      cluster({ failover: { profile: "aggressive" } })(raw);
    },
  ],
  [
    "a chain of replicas",
    cluster({ members: ["a1", "a2", { host: "a3", tags: { replicatefrom: "a2" } }] }),
  ],
  ["the shortest timings", cluster({ failover: { ttl: 20, loopWait: 10, retryTimeout: 5 } })],
])("%s is accepted", (_title, change) => {
  const raw = minimal();
  change(raw);
  expect(problemsOf(raw)).toEqual([]);
});

/** The least settings with a change. */
function parsed(change: (raw: ReturnType<typeof minimal>) => void) {
  const raw = minimal();
  change(raw);
  return parseSettings(raw);
}

test.each(["openssh-server-", "vim+", "vim=1", "vim/sid", "-vim", "vim*", "vim~", "Vim", "v"])(
  "%s is no package, but an order to apt",
  (name) => {
    expect(() => parsed(postgresql({ packages: [name] }))).toThrow(
      "expected the name of a Debian package",
    );
  },
);

test.each(["g++", "libstdc++6", "postgresql-17-postgis-3", "python3.13"])(
  "%s is a package",
  (name) => {
    expect(parsed(postgresql({ packages: [name] })).cluster.postgresql.packages).toEqual([name]);
  },
);

test.each(["constructor", "__proto__", "toString", "hasOwnProperty"])(
  "%s is no host that the stack has not named",
  (name) => {
    expect(() => parsed(balancers({ hosts: [name] }))).toThrow(
      `pgherd:cluster.loadBalancers.hosts[0]: expected one of pgherd:hosts`,
    );
    expect(() => parsed(balancers({ hosts: [name] }))).toThrow(`got "${name}"`);
  },
);

test.each(["postgres", "template0", "template1"])("%s is no database of a stack", (name) => {
  const wanted = { users: [{ name: "app" }], databases: [{ name, owner: "app" }] };
  expect(() => parsed(postgresql(wanted))).toThrow(
    `databases[0].name: expected a name that is not reserved, got "${name}"`,
  );
});

test.each(["pg_sales", "information_schema"])("%s is no schema of a stack", (name) => {
  const databases = [{ name: "app", owner: "app", schemas: [{ name }] }];
  expect(() => parsed(postgresql({ users: [{ name: "app" }], databases }))).toThrow(
    `databases[0].schemas[0].name: expected a name that is not reserved, got "${name}"`,
  );
});

test("a schema is named once, and whoever has a right in it is a user of the stack", () => {
  const schemas = [
    { name: "sales", owner: "ap" },
    { name: "sales", usage: ["nobody"] },
  ];
  const databases = [{ name: "app", owner: "app", schemas }];
  const raw = minimal();
  postgresql({ users: [{ name: "app" }], databases })(raw);
  expect(problemsOf(raw)).toEqual([
    'pgherd:cluster.postgresql.databases[0].schemas[0].owner: expected one of postgresql.users (app), got "ap". Add the user or mend the name.',
    'pgherd:cluster.postgresql.databases[0].schemas[1].name: expected each schema once, got "sales" again. Remove one.',
    'pgherd:cluster.postgresql.databases[0].schemas[1].usage[0]: expected one of postgresql.users (app), got "nobody". Add the user or mend the name.',
  ]);
});

test.each(["postgres", "pg_monitor", "public", "none", "all", "replication", "current_user"])(
  "%s is no user of a stack",
  (name) => {
    expect(() => parsed(postgresql({ users: [{ name }] }))).toThrow(
      `users[0].name: expected a name that is not reserved, got "${name}"`,
    );
  },
);

test("mistakes of every kind are told at once: structure, names, addresses, values and what does not fit together", () => {
  const raw = minimal();
  raw.hosts.a1 = { address: "10.0.0.300" };
  raw.hosts.a2 = { address: "10.0.0.2", prot: 22 };
  raw.hosts.b2 = { address: "10.0.0.4" };
  Object.assign(raw.cluster, {
    members: ["a1", { host: "a2", tags: { nofailover: "yes" } }, "a3", "a3"],
    dcs: { kind: "etcd", members: ["a1", "a2", "a9"], clientPort: "2379" },
    loadBalancers: { hosts: ["b1", "b3"], ports: { primary: 0, replica: 5002 } },
    postgresql: {
      port: 70000,
      users: [{ name: "pg_app" }, { name: "app", createdb: 1 }],
      databases: [
        { name: "template1", owner: "app" },
        { name: "shop", owner: "nobody" },
      ],
      pgHba: ["host all all 0.0.0.0/0 trust", 5],
      parameters: { work_mem: ["4MB"] },
    },
    replicatoin: { mode: "strict" },
    firewall: { clients: ["10.0.0.0/99"] },
  });
  const found = problemsOf(raw).map((problem) => problem.replace(/(: expected|: no such).*/s, ""));
  expect(found.sort()).toEqual([
    "pgherd:cluster.dcs.clientPort",
    "pgherd:cluster.dcs.members[2]",
    "pgherd:cluster.firewall.clients[0]",
    "pgherd:cluster.loadBalancers.hosts[1]",
    "pgherd:cluster.loadBalancers.ports.primary",
    "pgherd:cluster.loadBalancers.ports.synchronous",
    "pgherd:cluster.members[1].tags.nofailover",
    "pgherd:cluster.members[3]",
    "pgherd:cluster.postgresql.databases[0].name",
    "pgherd:cluster.postgresql.databases[1].owner",
    "pgherd:cluster.postgresql.parameters.work_mem",
    "pgherd:cluster.postgresql.pgHba[0]",
    "pgherd:cluster.postgresql.pgHba[0]",
    "pgherd:cluster.postgresql.pgHba[1]",
    "pgherd:cluster.postgresql.port",
    "pgherd:cluster.postgresql.users[0].name",
    "pgherd:cluster.postgresql.users[1].createdb",
    "pgherd:cluster.replicatoin",
    "pgherd:hosts.a1.address",
    "pgherd:hosts.a2.prot",
    "pgherd:hosts.b2.address",
  ]);
});

test.each<[string, (raw: Raw) => void, string]>([
  ["the stack", (raw) => Object.assign(raw, { shh: {} }), "pgherd:shh: … Did you mean ssh?"],
  [
    "a host",
    (raw) => (raw.hosts.a1 = { adress: "10.0.0.1" }),
    "pgherd:hosts.a1.adress: … Did you mean address?",
  ],
  [
    "the cluster",
    cluster({ load_balancers: { hosts: ["b1"] } }),
    "pgherd:cluster.load_balancers: … Did you mean loadBalancers?",
  ],
  [
    "a block",
    postgresql({ datadirectory: "/srv/pg" }),
    "pgherd:cluster.postgresql.datadirectory: … Did you mean dataDirectory?",
  ],
  [
    "a list",
    postgresql({ users: [{ name: "app", createDb: true }] }),
    "pgherd:cluster.postgresql.users[0].createDb: … Did you mean createdb?",
  ],
  [
    "a form of several",
    cluster({ failover: { profil: "fast" } }),
    "pgherd:cluster.failover.profil: … Did you mean profile?",
  ],
  [
    "a list in a block that may be false",
    cluster({ firewall: { clients: ["10.0.0.0/8"], alow: [] } }),
    "pgherd:cluster.firewall.alow: … Did you mean allow?",
  ],
  [
    "a block by names",
    postgresql({ slots: { feed: { type: "physical", plugn: "x" } } }),
    "pgherd:cluster.postgresql.slots.feed.plugn: … Did you mean plugin?",
  ],
  [
    "a setting of an inner block",
    cluster({ parameters: {} }),
    "pgherd:cluster.parameters: … Did you mean postgresql.parameters?",
  ],
])(
  "a misspelt setting of %s is told with the one that was meant, and nothing else is",
  (_where, change, told) => {
    const raw = minimal();
    change(raw);
    expect(problemsOf(raw).map((one) => one.replace("no such setting.", "…"))).toEqual([told]);
  },
);

test.each([
  ["cluster", cluster({ name: "all" }), "name", "all"],
  ["cluster", cluster({ name: "barman" }), "name", "barman"],
])("a %s is not called what something else takes for its own", (_what, change, path, name) => {
  const raw = minimal();
  change(raw);
  expect(problemsOf(raw)).toEqual([
    expect.stringContaining(
      `pgherd:cluster.${path}: expected a name that is not reserved, got "${name}", which`,
    ),
  ]);
});

test.each(["local", "replica", "localhost"])("%s is no name of a host", (name) => {
  const raw = minimal();
  raw.hosts[name] = { address: "10.0.0.77" };
  expect(problemsOf(raw)).toEqual([
    expect.stringContaining(`pgherd:hosts.${name}: expected a name that is not reserved`),
  ]);
});

test.each(["all", "replication", "sameuser", "samerole"])(
  "%s is no database of a stack",
  (name) => {
    const wanted = { users: [{ name: "app" }], databases: [{ name, owner: "app" }] };
    expect(() => parsed(postgresql(wanted))).toThrow("which pg_hba.conf takes for something else");
  },
);

test("a name that PostgreSQL would cut off, or fold, is refused with how long and how written it may be", () => {
  const long = "a".repeat(64);
  expect(() => parsed(postgresql({ users: [{ name: long }] }))).toThrow("63 characters at most");
  expect(() => parsed(postgresql({ users: [{ name: "App" }] }))).toThrow("a lower-case SQL name");
});

test("the superuser of a server that is migrated is no user of the stack", () => {
  const raw = minimal();
  Object.assign(raw.cluster, {
    migration: { from: "a1", superuser: "chief" },
    postgresql: { users: [{ name: "chief" }] },
  });
  expect(problemsOf(raw)).toEqual([
    'pgherd:cluster.postgresql.users[0].name: expected a name that is not reserved, got "chief", the superuser of the server that is migrated. Choose another name.',
  ]);
});

test.each([
  ["pg_read_all_data", 13, "expected a role that may be granted"],
  ["pg_execute_server_program", 17, "a superuser in all but name"],
  ["nobody", 17, "expected a role that may be granted"],
  ["postgres", 17, "expected a role that may be granted"],
  ["app", 17, "expected a role that may be granted"],
])("%s is not granted to the user app of version %s", (granted, version, told) => {
  const users = [{ name: "app", grants: [granted] }, { name: "reporting" }];
  expect(() => parsed(postgresql({ version, users }))).toThrow(told);
});

test("users are granted each other's rights, in no circle", () => {
  const users = (...grants: string[][]) =>
    grants.map((some, i) => ({ name: `u${i}`, grants: some }));
  expect(() =>
    parsed(postgresql({ users: users(["u1", "pg_monitor"], ["u2"], []) })),
  ).not.toThrow();
  expect(() => parsed(postgresql({ users: users(["u1"], ["u2"], ["u0"]) }))).toThrow(
    "users[0].grants[0]: expected no circle of grants",
  );
});
