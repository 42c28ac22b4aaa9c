import { utils } from "ssh2";
import { expect, test } from "vitest";
import { HOST_KEY_PARTS } from "../../src/config/blocks/login";
import { checkSettings } from "../../src/config/parse";
import { signatures } from "../../src/host/host-keys";
import { keyPair } from "../keys";

// What can be read and makes no sense: it is refused before a host is asked.

interface Given {
  readonly host?: object;
  readonly ssh?: object;
  readonly cluster?: object;
  readonly hosts?: object;
}

/** Every problem of a small stack with these settings, without the path's beginning. */
function problemsOf({ host = {}, ssh = {}, cluster = {}, hosts = {} }: Given): string[] {
  const { problems } = checkSettings({
    hosts: {
      a1: { address: "10.0.0.11", ...host },
      a2: { address: "10.0.0.12" },
      a3: { address: "10.0.0.13" },
      ...hosts,
    },
    ssh,
    cluster: {
      ...{ name: "shop", members: ["a1", "a2", "a3"], firewall: { clients: ["10.0.0.0/8"] } },
      dcs: { kind: "etcd", members: ["a1", "a2", "a3"] },
      ...cluster,
    },
  });
  return problems.map((problem) => problem.replace("pgherd:", ""));
}

const dcs = (settings: object) => ({
  cluster: { dcs: { kind: "etcd", members: ["a1", "a2", "a3"], ...settings } },
});
const consul = (settings: object) => dcs({ kind: "consul", ...settings });
const balancers = (settings: object) => ({
  cluster: { loadBalancers: { hosts: ["a1", "a2"], interface: "eth0", ...settings } },
});
const backup = (settings: object) => ({
  hosts: { b1: { address: "10.0.0.41" } },
  cluster: { backup: { host: "b1", ...settings } },
});
const postgresql = (settings: object) => ({ cluster: { postgresql: settings } });
const failover = (settings: object) => ({
  cluster: { failover: { ttl: 30, loopWait: 10, retryTimeout: 10, ...settings } },
});
const fork = (settings: object) => ({
  cluster: { forks: [{ name: "try", port: 5440, ...settings }] },
});

const ED25519 = keyPair().public.trim();
const BYTES = Buffer.from(ED25519.split(" ")[1] ?? "", "base64");
/** A key of an agreed form whose one part has so many bytes. */
const keyOf = (type: string, bytes: number, inside = type) => {
  const field = (content: Buffer) =>
    Buffer.concat([Buffer.from([0, 0, 0, content.length]), content]);
  return `${type} ${Buffer.concat([field(Buffer.from(inside)), field(Buffer.alloc(bytes))]).toString("base64")}`;
};

const A_KEY = "hosts.a1.hostKey: expected a whole public host key of one of the types";
const A_USER = "expected the name of a user, without blanks, quotes or a leading hyphen, got";

test.each<[string, Given, string]>([
  ["a user with a blank", { host: { user: "an na" } }, `hosts.a1.user: ${A_USER} "an na"`],
  ["a user that is an option", { ssh: { user: "-l" } }, `ssh.user: ${A_USER} "-l"`],
  ["an empty user", { ssh: { user: "" } }, `ssh.user: ${A_USER} ""`],
  ["a user with a bell", { host: { user: "a\u0007" } }, `hosts.a1.user: ${A_USER}`],
  ["a way that is an option", { ssh: { proxyJump: "-oProxyCommand=x" } }, "ssh.proxyJump: "],
  ["a way with a blank", { ssh: { proxyJump: "admin@my host" } }, "ssh.proxyJump: expected a host"],
  ["a way with a hole", { host: { proxyJump: "a,,b" } }, "hosts.a1.proxyJump: expected a host"],
  ["a way to no port", { ssh: { proxyJump: "jump:99999" } }, "ssh.proxyJump: expected a host"],
  ["a way as nobody", { ssh: { proxyJump: "@jump" } }, "ssh.proxyJump: expected a host"],
  ["none, and a way", { ssh: { proxyJump: "none,a" } }, "ssh.proxyJump: expected hosts to go"],
  ["a key file without a name", { ssh: { identityFile: "" } }, "ssh.identityFile: expected a path"],
  ["known hosts on two lines", { ssh: { knownHosts: "a\nb" } }, "ssh.knownHosts: expected a path"],
  [
    "a time-out of months",
    { ssh: { connectTimeout: 1e9 } },
    "ssh.connectTimeout: expected 2073600",
  ],
  ["half a key", { host: { hostKey: ED25519.slice(0, 50) } }, A_KEY],
  ["a key of another type", { host: { hostKey: ED25519.replace(/^\S+/, "ssh-rsa") } }, A_KEY],
  ["a key with a type inside", { host: { hostKey: keyOf("ssh-ed25519", 32, "ssh-rsa") } }, A_KEY],
  ["a short key", { host: { hostKey: keyOf("ssh-ed25519", 31) } }, A_KEY],
  ["a key of a type that is not checked", { host: { hostKey: keyOf("ssh-dss", 32) } }, A_KEY],
  ["a key that is no base64", { host: { hostKey: `${ED25519.slice(0, -3)}=AB` } }, A_KEY],
  ["a key and more", { host: { hostKey: keyOf("ssh-ed25519", 33) } }, A_KEY],
  ["two keys", { host: { hostKey: `${ED25519}\n${ED25519}` } }, A_KEY],
  [
    "any address",
    { host: { address: "0.0.0.0" } },
    "hosts.a1.address: expected an address at which the other hosts reach it, got 0.0.0.0, which stands for any address. Mend it.",
  ],
  ["a loopback", { host: { address: "127.0.0.1" } }, "hosts.a1.address: expected an address at"],
  ["a group", { host: { address: "224.0.0.18" } }, "hosts.a1.address: expected an address at"],
  [
    "one address of IPv6 in two texts",
    {
      ...{ host: { address: "fd00::a" } },
      hosts: { a2: { address: "fd00:0::000A" }, a3: { address: "fd00::b" } },
    },
    "hosts.a2.address: expected an address of its own, got that of a1",
  ],
  [
    "a virtual IP that is its network's",
    balancers({ vip: "10.0.0.0/24" }),
    "cluster.loadBalancers.vip: expected an address that a host can have, got 10.0.0.0/24, which is its network's own. Choose another one.",
  ],
  [
    "a virtual IP that is a smaller network's",
    balancers({ vip: "10.0.0.8/29" }),
    "got 10.0.0.8/29, which is its network's own",
  ],
  [
    "a virtual IP that is the broadcast",
    balancers({ vip: "10.0.0.255/24" }),
    "got 10.0.0.255/24, which is its network's broadcast",
  ],
  [
    "a virtual IP that is everybody's",
    balancers({ vip: "255.255.255.255/0" }),
    "which is everybody's",
  ],
  [
    "a virtual IP that routers have",
    balancers({ vip: ["10.0.0.100/24", "fd00::/64"] }),
    "got fd00::/64, which its network's routers have (the subnet-router anycast address)",
  ],
  [
    "a virtual IP that a member has, in other letters",
    {
      host: { address: "fd00::a" },
      hosts: { a2: { address: "fd00::b" }, a3: { address: "fd00::c" } },
      ...balancers({ vip: "FD00:0::000c/64" }),
    },
    "expected an address that no host has, got that of a3",
  ],
  [
    "a name that DNS cannot have, where it is to tell of it",
    {
      cluster: {
        name: "shop-",
        dcs: { kind: "consul", members: ["a1", "a2", "a3"], registerService: true },
      },
    },
    'cluster.dcs.registerService: expected a name of the cluster that can stand in DNS, got "shop-", which ends in a hyphen.',
  ],
  [
    "clients of a DNS that does not run",
    consul({ dnsFor: "clients" }),
    "cluster.dcs.dnsFor: expected registerService as well: without it Consul's DNS does not run. Set it, or remove dnsFor.",
  ],
  ["a quota of nothing", dcs({ quota: "1kB" }), "cluster.dcs.quota: expected 16MB or more, 8GB or"],
  [
    "a quota beyond etcd",
    dcs({ quota: "9GB" }),
    "cluster.dcs.quota: expected 16MB or more, 8GB or",
  ],
  ["a history of ages", dcs({ compaction: "99999999h" }), "cluster.dcs.compaction: expected 720h"],
  ["a size beyond counting", failover({ maximumLag: "99999999TB" }), "expected a size of 8191TB"],
  ["a lease of a day", failover({ ttl: 86400 }), "cluster.failover.ttl: expected 3600 or less"],
  [
    "sessions that are cut at once",
    balancers({ timeouts: { client: "1ms" } }),
    "cluster.loadBalancers.timeouts.client: expected 1s or more",
  ],
  [
    "more connections than files",
    balancers({ maxConnections: 1e7 }),
    "cluster.loadBalancers.maxConnections: expected 500000 or less",
  ],
  [
    "an option for a card",
    balancers({ interface: "-eth0" }),
    "expected a network interface such as",
  ],
  [
    "backups of all ages",
    backup({ retention: "RECOVERY WINDOW OF 99999999 DAYS" }),
    "cluster.backup.retention: expected a window of 36500 DAYS or less",
  ],
  [
    "a backup that never ends",
    backup({ bandwidth: "1kB" }),
    "cluster.backup.bandwidth: expected 128kB",
  ],
  [
    "a question of blanks",
    backup({ verify: { checks: [{ database: "postgres", sql: "  " }] } }),
    "cluster.backup.verify.checks[0].sql: expected one line of SQL",
  ],
  [
    "a fork without memory",
    fork({ memory: "1kB" }),
    "cluster.forks[0].memory: expected 64MB or more",
  ],
  ["a fork without a disk", fork({ disk: "1kB" }), "cluster.forks[0].disk: expected 256MB or more"],
  [
    "a fork for ages",
    fork({ ttl: "99999999999d" }),
    "cluster.forks[0].ttl: expected 3650d or less",
  ],
  [
    "a hook that does nothing",
    { cluster: { hooks: [{ name: "x", when: "after", run: " " }] } },
    "cluster.hooks[0].run: expected a shell command",
  ],
  [
    "a copy that pg_basebackup refuses",
    { cluster: { migration: { from: "a1", maxRate: "1kB" } } },
    "cluster.migration.maxRate: expected 32kB or more, 1GB or less",
  ],
  [
    "a server of no memory",
    postgresql({ resources: { memory: "1kB" } }),
    "cluster.postgresql.resources.memory: expected 128MB or more",
  ],
  [
    "a million cores",
    postgresql({ resources: { cores: 1e6 } }),
    "cluster.postgresql.resources.cores: expected 2048 or less",
  ],
  [
    "more connections of a user than of any server",
    postgresql({ users: [{ name: "app", connectionLimit: 1e9 }] }),
    "cluster.postgresql.users[0].connectionLimit: expected 262143 or less",
  ],
  [
    "a day that is not",
    postgresql({
      bootstrap: {
        ...{ from: "barman", host: "b1", cluster: "lost" },
        target: { time: "2026-13-45 25:99+01" },
      },
    }),
    "cluster.postgresql.bootstrap.target.time: expected a time that there is",
  ],
])("%s is refused", (_title, given, problem) => {
  expect(problemsOf(given).join("\n")).toContain(problem);
});

test.each<[string, Given]>([
  ["a user of a directory", { host: { user: "CORP\\anna" }, ssh: { user: "anna@corp.example" } }],
  [
    "a way through several hosts",
    { ssh: { proxyJump: "root@jump:22, admin@[fd00::1]:2222,fd00::2" } },
  ],
  ["a way as OpenSSH writes it", { ssh: { proxyJump: "ssh://root@jump:22" } }],
  ["no way", { ssh: { proxyJump: "none" } }],
  ["a key with a comment", { host: { hostKey: `${ED25519} root@a1\n` } }],
  ["a path with blanks", { ssh: { identityFile: "~/my keys/id", knownHosts: "/etc/my hosts" } }],
  ["a virtual IP alone in its network", balancers({ vip: "10.0.0.254/24" })],
  ["clients of Consul's DNS", consul({ registerService: true, dnsFor: "clients" })],
  ["the smallest quota that etcd's documentation shows", dcs({ quota: "16MB" })],
  ["the largest that it suggests", dcs({ quota: "8GB" })],
])("%s is taken", (_title, given) => {
  expect(problemsOf(given)).toEqual([]);
});

test("keys are looked through for every type that a host is asked for", () => {
  const asked = Object.keys(HOST_KEY_PARTS).map((type) => signatures([`${type} x`]));
  expect(asked.every((names) => names.length > 0)).toBe(true);
  expect(BYTES.length).toBe(51);
});

test.each([
  ["ecdsa", 256],
  ["ecdsa", 384],
  ["ecdsa", 521],
  ["rsa", 2048],
] as const)("a key of %s with %i bits is taken as it is written", (type, bits) => {
  const { public: key } = utils.generateKeyPairSync(type as "rsa", { bits });
  expect(problemsOf({ host: { hostKey: key } })).toEqual([]);
});
