import { isIP } from "node:net";
import { z } from "zod";

/** Names that end in host names, unit names, paths and SQL: nothing that any of them would have to quote. */
const NAME = /^[a-z][a-z0-9-]{0,62}$/;
const IDENTIFIER = /^[a-z_][a-z0-9_]{0,62}$/;

const name = z.string().regex(NAME, {
  error: "a lower-case name such as demo-1 (letters, digits and hyphens, a letter first)",
});

const identifier = z.string().regex(IDENTIFIER, {
  error: "a lower-case SQL name such as app_1 (letters, digits and underscores)",
});

const address = z.string().refine((value) => isIP(value) !== 0, {
  error:
    'an IP address such as "10.89.0.11" or "fd00:89::11" (a name may resolve differently on each host)',
});

const port = z.int().min(1).max(65535);
const seconds = z.int().min(1);

const hostName = z.string().describe("Name of one of `pgherd:hosts`.");

/** A host as the user writes it. */
export const host = z.strictObject({
  address: address.describe(
    "Where the other hosts reach it, and where SSH does: an IPv4 or IPv6 address.",
  ),
  port: port.optional().describe("SSH port."),
  user: z.string().optional().describe("Login name, if it differs from `pgherd:ssh`."),
  hostKey: z
    .string()
    .regex(/^(ssh-|ecdsa-)[a-z0-9@.-]+ [A-Za-z0-9+/=]+/, {
      error: 'a public host key such as "ssh-ed25519 AAAA…" (ssh-keyscan prints it)',
    })
    .optional()
    .describe("The host's public key. Without it the host must stand in the known_hosts file."),
  proxyJump: z.string().optional().describe("Host to go through: `[user@]address[:port]`."),
});

/** How hosts are reached. */
export const ssh = z.strictObject({
  user: z
    .string()
    .optional()
    .describe("Login name; from the SSH configuration file, else the own user name."),
  port: port.optional().describe("SSH port; from the SSH configuration file, else 22."),
  identityFile: z
    .string()
    .optional()
    .describe(
      "Path of the private key. It is read when connecting and never stored. Without it: the agent.",
    ),
  knownHosts: z
    .string()
    .optional()
    .describe(
      "File with the keys of known hosts; from the SSH configuration file, else `~/.ssh/known_hosts`.",
    ),
  proxyJump: z
    .string()
    .optional()
    .describe("Host to go through for all hosts: `[user@]address[:port]`."),
  sudo: z.boolean().default(true).describe("Become root with `sudo -n`. False: log in as root."),
  connectTimeout: seconds.default(10).describe("Seconds to wait for a connection."),
});

const tags = z.strictObject({
  nofailover: z.boolean().optional().describe("Never becomes the leader."),
  nosync: z.boolean().optional().describe("Never becomes the synchronous replica."),
  noloadbalance: z.boolean().optional().describe("Not used by the read-only ports."),
  clonefrom: z.boolean().optional().describe("Preferred source for new replicas."),
  replicatefrom: z.string().optional().describe("Member to stream from, instead of the leader."),
});

const member = z
  .union([hostName, z.strictObject({ host: hostName, tags: tags.default({}) })])
  .transform((value) => (typeof value === "string" ? { host: value, tags: {} } : value));

const parameterValue = z.union([z.string(), z.number(), z.boolean()]);

const user = z.strictObject({
  name: identifier,
  superuser: z
    .literal(false)
    .default(false)
    .describe("Superusers are made by hand, not by a stack file."),
  createdb: z.boolean().default(false).describe("May create databases."),
  createrole: z.boolean().default(false).describe("May create roles."),
  connectionLimit: z.int().min(-1).default(-1).describe("Concurrent connections; -1 is no limit."),
});

const database = z.strictObject({
  name: identifier,
  owner: identifier.describe("One of `users`."),
  extensions: z
    .array(
      z.string().regex(/^[a-z][a-z0-9_-]*$/, { error: "the name of an extension such as pg_trgm" }),
    )
    .default([])
    .describe("Extensions to create."),
});

const postgresql = z.strictObject({
  version: z
    .int()
    .min(13)
    .max(18)
    .default(17)
    .describe("Major version; must be in the hosts' package sources."),
  port: port.default(5432),
  dataDirectory: z
    .string()
    .regex(/^\/[A-Za-z0-9._/-]+$/, { error: "an absolute path without spaces" })
    .optional()
    .describe("Default: `/var/lib/postgresql/VERSION/main`, where Debian has it."),
  parameters: z
    .record(
      z.string().regex(/^[a-z_][a-z0-9_.]*$/i, { error: "a setting such as work_mem" }),
      parameterValue,
    )
    .default({})
    .describe("Settings of postgresql.conf, the same on all members."),
  users: z.array(user).default([]).describe("Login roles. Each gets a generated password."),
  databases: z.array(database).default([]),
  pgHba: z.array(z.string()).default([]).describe("Lines of pg_hba.conf, after pgherd's own."),
});

const timings = z.strictObject({
  ttl: seconds,
  loopWait: seconds,
  retryTimeout: seconds,
});

const failover = z.union([z.strictObject({ profile: z.enum(["default", "fast"]) }), timings]);

const dcs = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("etcd"),
    members: z.array(hostName).min(1),
    clientPort: port.default(2379),
    peerPort: port.default(2380),
  }),
]);

const loadBalancers = z.strictObject({
  hosts: z.array(hostName).min(1),
  vip: z
    .string()
    .refine((value) => isIP(value.split("/")[0] ?? "") !== 0 && /^[^/]+\/\d{1,3}$/.test(value), {
      error: 'an address with its prefix length, such as "10.89.0.100/24"',
    })
    .optional()
    .describe("Virtual IP address with prefix length, held by one of the hosts. Needs two hosts."),
  interface: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,15}$/, { error: "a network interface such as eth0" })
    .optional()
    .describe("Network interface that carries the virtual IP, e.g. `eth0`. Needed with `vip`."),
  virtualRouterId: z
    .int()
    .min(1)
    .max(255)
    .default(51)
    .describe("VRRP id, unique in the network segment."),
  preempt: z
    .boolean()
    .default(false)
    .describe("Whether the first host takes the address back on return."),
  ports: z
    .strictObject({
      primary: port.default(5000),
      replica: port.default(5001),
      synchronous: port.default(5002),
      asynchronous: port.default(5003),
      stats: port.default(7000),
    })
    .prefault({}),
  maxConnections: z.int().min(10).default(4000).describe("Client connections to each balancer."),
});

const hook = z.strictObject({
  name,
  when: z
    .enum(["before", "after"])
    .describe("Before the first change of the cluster, or after the last."),
  on: z.string().default("local").describe("`local`, or the name of a host (needs an SSH agent)."),
  run: z.string().min(1).describe("Shell command."),
});

/** A cluster as the user writes it, defaults filled in. */
export const cluster = z.strictObject({
  name: name.describe("The cluster's name: Patroni's scope, etcd's token."),
  postgresql: postgresql.prefault({}),
  members: z.array(member).min(1).describe("Hosts that hold the data."),
  replication: z
    .strictObject({ mode: z.enum(["asynchronous", "synchronous", "strict", "quorum"]) })
    .default({ mode: "synchronous" }),
  failover: failover.default({ profile: "default" }),
  dcs,
  loadBalancers: loadBalancers.optional(),
  hooks: z.array(hook).default([]),
});

/** Everything a stack says to pgherd: the values of `pgherd:hosts`, `pgherd:ssh` and `pgherd:cluster`. */
export const settings = z.strictObject({
  hosts: z.record(name, host),
  ssh: ssh.prefault({}),
  cluster,
});

export type Settings = z.infer<typeof settings>;
export type HostSettings = z.infer<typeof host>;
export type SshSettings = z.infer<typeof ssh>;
export type ClusterSettings = z.infer<typeof cluster>;
export type MemberSettings = ClusterSettings["members"][number];
export type UserSettings = z.infer<typeof user>;
export type DatabaseSettings = z.infer<typeof database>;
