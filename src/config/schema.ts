import { isIP } from "node:net";
import { z } from "zod";
import { isSchedule } from "./schedule";

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

/** A size as PostgreSQL writes it. */
const size = z.string().regex(/^[1-9]\d*(kB|MB|GB|TB)$/, {
  error: 'a size such as "512MB" (a whole number with kB, MB, GB or TB)',
});

const absolutePath = z
  .string()
  .regex(/^\/[A-Za-z0-9._/-]+$/, { error: "an absolute path without spaces" });

/** Addresses that traffic may come from. */
const network = z.string().refine((value) => isNetwork(value), {
  error: 'a network such as "10.0.0.0/24" or "fd00::/64", or one address',
});

function isNetwork(value: string): boolean {
  const [base = "", prefix, ...rest] = value.split("/");
  const bits = isIP(base) === 4 ? 32 : isIP(base) === 6 ? 128 : 0;
  if (bits === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
}

const hostName = z.string().describe("Name of one of `pgherd:hosts`.");

/** A host as the user writes it. */
export const host = z.strictObject({
  address: address.describe(
    "Where the other hosts reach it, and where SSH does: an IPv4 or IPv6 address.",
  ),
  port: port.optional().describe("SSH port. Default: from `pgherd:ssh`."),
  user: z.string().optional().describe("Login name. Default: from `pgherd:ssh`."),
  hostKey: z
    .string()
    .regex(/^(ssh-|ecdsa-)[a-z0-9@.-]+ [A-Za-z0-9+/=]+/, {
      error: 'a public host key such as "ssh-ed25519 AAAA…" (ssh-keyscan prints it)',
    })
    .optional()
    .describe(
      "Public host key, `ssh-ed25519 AAAA…`; another one is never accepted. Default: from the known_hosts file.",
    ),
  proxyJump: z
    .string()
    .optional()
    .describe("Host to go through, `[user@]address[:port]`. Default: from `pgherd:ssh`."),
});

/** How hosts are reached. */
export const ssh = z.strictObject({
  user: z.string().optional().describe("Login name. Default: your own user name."),
  port: port.optional().describe("SSH port. Default: `22`."),
  identityFile: z
    .string()
    .optional()
    .describe("Private key; read when connecting, never stored. Default: the SSH agent."),
  knownHosts: z
    .string()
    .optional()
    .describe("File with the keys of known hosts. Default: `~/.ssh/known_hosts`."),
  proxyJump: z
    .string()
    .optional()
    .describe("Host to go through, for all hosts: `[user@]address[:port]`."),
  sudo: z.boolean().default(true).describe("Become root with `sudo -n`. False: log in as root."),
  connectTimeout: seconds.default(10).describe("Seconds to wait for a connection."),
});

const tags = z.strictObject({
  nofailover: z.boolean().optional().describe("Never becomes the leader."),
  nosync: z.boolean().optional().describe("Never becomes a synchronous replica."),
  noloadbalance: z.boolean().optional().describe("Not used by the read-only ports."),
  clonefrom: z.boolean().optional().describe("Preferred source for new replicas."),
  failover_priority: z
    .int()
    .min(0)
    .optional()
    .describe(
      "Among members that are equally far on, the highest leads next; 0 is nofailover. Patroni 3.2 or newer.",
    ),
  replicatefrom: z.string().optional().describe("Member to stream from, instead of the leader."),
});

const member = z
  .union([
    hostName,
    z.strictObject({
      host: hostName,
      tags: tags.default({}).describe("What Patroni may use the member for."),
    }),
  ])
  .transform((value) => (typeof value === "string" ? { host: value, tags: {} } : value));

const parameterValue = z.union([z.string(), z.number(), z.boolean()]);

const user = z.strictObject({
  name: identifier.describe("Login name."),
  superuser: z
    .literal(false)
    .default(false)
    .describe("Superusers are made by hand, not by a stack file."),
  createdb: z.boolean().default(false).describe("May create databases."),
  createrole: z.boolean().default(false).describe("May create roles."),
  connectionLimit: z.int().min(-1).default(-1).describe("Concurrent connections; -1 is no limit."),
});

const database = z.strictObject({
  name: identifier.describe("The database's name."),
  owner: identifier.describe("One of `users`."),
  extensions: z
    .array(
      z.string().regex(/^[a-z][a-z0-9_-]*$/, { error: "the name of an extension such as pg_trgm" }),
    )
    .default([])
    .describe("Extensions to create."),
});

const slot = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("physical").describe("For a standby outside the cluster.") }),
    z.strictObject({
      type: z.literal("logical").describe("For a consumer of changes."),
      database: identifier.describe("One of `databases`."),
      plugin: identifier.default("pgoutput").describe("Output plugin."),
    }),
  ])
  .describe("A replication slot.");

const schedule = z.string().refine((value) => isSchedule(value), {
  error:
    'a time as cron writes it, such as "0 2 * * *" (minute, hour, day, month, weekday; a day or a weekday)',
});

const recoveryTarget = z
  .union([
    z.strictObject({
      time: z
        .string()
        .regex(/^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)$/, {
          error: 'a time with its zone, such as "2026-11-21 14:30:00+01"',
        })
        .describe("Up to the last commit before this time."),
    }),
    z.strictObject({ xid: z.int().min(3).describe("Up to this transaction, included.") }),
    z.strictObject({
      lsn: z
        .string()
        .regex(/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i, { error: 'a position such as "0/5000060"' })
        .describe("Up to this position of the WAL."),
    }),
    z.strictObject({
      name: z
        .string()
        .regex(/^[A-Za-z0-9_.:-]{1,63}$/, { error: "a name given by pg_create_restore_point" })
        .describe("Up to this named point."),
    }),
  ])
  .describe("One of `{ time }`, `{ xid }`, `{ lsn }` and `{ name }`.");

const bootstrap = z.strictObject({
  from: z.literal("barman").describe("A backup that Barman has taken."),
  host: hostName.describe("Host with that Barman, one of `pgherd:hosts`; of another cluster."),
  cluster: name.describe("Whose backups: Barman's name of the server."),
  directory: absolutePath
    .default("/var/lib/barman")
    .describe("Where that Barman keeps its backups, each cluster's in a folder of its name."),
  backup: z
    .string()
    .regex(/^\d{8}T\d{6}$/, { error: 'the id of a backup such as "20261121T020001"' })
    .optional()
    .describe("Which backup to begin with. Default: the newest that lies before the target."),
  target: recoveryTarget
    .optional()
    .describe(
      "Up to where: `{ time }`, `{ xid }`, `{ lsn }` or `{ name }`. Default: all that the archive has.",
    ),
});

const postgresql = z.strictObject({
  version: z
    .int()
    .min(13)
    .max(18)
    .default(17)
    .describe("Major version; must be in the hosts' package sources."),
  port: port.default(5432).describe("Where PostgreSQL listens on the members."),
  dataDirectory: absolutePath
    .optional()
    .describe(
      "Where a member keeps its data. Default: `/var/lib/postgresql/VERSION/main`, as Debian has it.",
    ),
  dataChecksums: z
    .boolean()
    .default(true)
    .describe("Notice damaged pages. Fixed once the database exists."),
  locale: z
    .string()
    .regex(/^[A-Za-z0-9_.@-]{1,64}$/, { error: "a locale such as C.UTF-8 or de_DE.UTF-8" })
    .default("C.UTF-8")
    .describe("Of a new database; must be on all members. Fixed once the database exists."),
  bootstrap: bootstrap
    .optional()
    .describe("Begin with a backup of another cluster, instead of an empty database."),
  packages: z
    .array(
      z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, {
        error: "the name of a Debian package such as postgresql-17-postgis-3",
      }),
    )
    .default([])
    .describe("Further Debian packages for the members, e.g. of extensions."),
  resources: z
    .strictObject({
      memory: size
        .optional()
        .describe("Memory that PostgreSQL may count on. Default: that of the smallest member."),
      cores: z
        .int()
        .min(1)
        .optional()
        .describe("Processor cores. Default: those of the smallest member."),
      disk: size
        .optional()
        .describe(
          "Size of the data directory's file system. Default: that of the smallest member.",
        ),
    })
    .prefault({})
    .describe("What PostgreSQL's settings are tuned for."),
  parameters: z
    .record(
      z.string().regex(/^[a-z_][a-z0-9_.]*$/i, { error: "a setting such as work_mem" }),
      parameterValue,
    )
    .default({})
    .describe("Settings of postgresql.conf, the same on all members; they win over tuned ones."),
  users: z.array(user).default([]).describe("Login roles. Each gets a generated password."),
  databases: z
    .array(database)
    .default([])
    .describe("Databases to create, each with its owner and extensions."),
  slots: z
    .record(identifier, slot)
    .default({})
    .describe(
      "Replication slots to keep through every change of the leader, by name: `{ type: physical }`, or `{ type: logical, database, plugin }` (plugin is pgoutput if left out).",
    ),
  pgHba: z.array(z.string()).default([]).describe("Lines of pg_hba.conf, after pgherd's own."),
  pgHbaFromAnywhere: z
    .boolean()
    .default(false)
    .describe("Allow lines of `pgHba` that let every address in (0.0.0.0/0, ::/0, all)."),
});

const replication = z.strictObject({
  mode: z
    .enum(["asynchronous", "synchronous", "strict", "quorum"])
    .default("synchronous")
    .describe("What an acknowledged commit is worth; see Durability."),
  count: z
    .int()
    .min(1)
    .default(1)
    .describe("How many replicas confirm a commit; not for asynchronous."),
  acceptBlocking: z
    .boolean()
    .default(false)
    .describe("Accept strict or quorum with so few members that one failure stops all writes."),
});

/** What every way to say the timings has beside them. */
const failoverRules = {
  failsafe: z
    .boolean()
    .optional()
    .describe(
      "Keep the leader while the DCS is away, as long as all members answer it. Default: on from Patroni 4.0.7.",
    ),
  maximumLag: size
    .default("1MB")
    .describe("A replica further behind than this is never promoted by itself."),
  watchdog: z
    .enum(["off", "automatic", "required"])
    .default("automatic")
    .describe(
      "Hardware watchdog that resets a leader that hangs: used where there is one, or required.",
    ),
};

const checks = z.strictObject({
  interval: z.number().min(0.1).describe("Seconds between two checks of a member."),
  fastInterval: z.number().min(0.1).describe("Seconds after a first failure or success."),
  timeout: z.number().min(0.1).describe("Seconds until a check without an answer has failed."),
  fall: z.int().min(1).describe("Failures until a member is out."),
  rise: z.int().min(1).describe("Successes until a member is in."),
});

const failoverProfile = z
  .strictObject({
    profile: z
      .enum(["default", "fast", "aggressive"])
      .describe("Patroni's timings and HAProxy's checks together; see Recovery time."),
    ...failoverRules,
  })
  .describe("By a ready-made profile:");

const failoverTimings = z
  .strictObject({
    ttl: seconds.describe("Lease of the leader: a silent one is replaced after about this long."),
    loopWait: seconds.describe("Seconds between two rounds of Patroni."),
    retryTimeout: seconds.describe("Seconds for which the DCS and PostgreSQL are retried."),
    primaryStartTimeout: seconds
      .optional()
      .describe("Seconds that a crashed primary has to start. Default: twice ttl."),
    checks: checks.optional().describe("HAProxy's checks. Default: fitted to ttl and loopWait."),
    ...failoverRules,
  })
  .describe("Or by timings of your own:");

const failover = z.union([failoverProfile, failoverTimings]);

const rolling = z.strictObject({
  maximumLag: size
    .default("10MB")
    .describe("A replica further behind than this takes over nothing, and the next one must wait."),
  longestTransaction: seconds
    .default(15)
    .describe("Seconds that a transaction may have been open when its member is restarted."),
  drain: z
    .int()
    .min(0)
    .default(15)
    .describe("Seconds that sessions of a replica have to end before it is restarted."),
  wait: seconds
    .default(120)
    .describe(
      "Seconds to wait for lag and transactions before the run ends, with the cluster serving.",
    ),
});

const dcs = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("etcd").describe("etcd, version 3."),
    members: z.array(hostName).min(1).describe("Hosts that vote on who leads: an odd number."),
    clientPort: port.default(2379).describe("Where Patroni reaches etcd."),
    peerPort: port.default(2380).describe("Where etcd's members reach each other."),
    token: name
      .optional()
      .describe("Keeps clusters apart that start at once. Default: the cluster's `name`."),
    dataDirectory: absolutePath
      .optional()
      .describe("Where etcd keeps its data. Default: `/var/lib/etcd/NAME`, by the cluster's name."),
    quota: size.default("2GB").describe("Largest database; a full one takes no more writes."),
    compaction: z
      .string()
      .regex(/^[1-9]\d*(m|h)$/, { error: 'a time such as "30m" or "1h"' })
      .default("1h")
      .describe("How much history is kept."),
  }),
]);

const vip = z
  .string()
  .refine((value) => isIP(value.split("/")[0] ?? "") !== 0 && /^[^/]+\/\d{1,3}$/.test(value), {
    error: 'an address with its prefix length, such as "10.89.0.100/24"',
  });

const loadBalancers = z.strictObject({
  hosts: z.array(hostName).min(1).describe("Hosts with HAProxy."),
  vip: z
    .union([vip, z.array(vip).min(1).max(2)])
    .default([])
    .transform((value) => (typeof value === "string" ? [value] : value))
    .describe(
      "Virtual IP address with prefix length, held by one of the hosts; or two, an IPv4 and an IPv6 one. Needs two hosts.",
    ),
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
  replicaFallback: z
    .boolean()
    .default(false)
    .describe("Whether the replica port leads to the primary while there is no replica."),
  // What autobase's HAProxy asks for too.
  maximumLag: size
    .default("100MB")
    .describe("WAL that a replica may have left to apply, and still be read from."),
  ports: z
    .strictObject({
      primary: port.default(5000).describe("Reads and writes."),
      replica: port.default(5001).describe("Reads from any replica."),
      synchronous: port.default(5002).describe("Reads from a synchronous replica."),
      asynchronous: port.default(5003).describe("Reads from the other replicas."),
      stats: port.default(7000).describe("Statistics page, for the user `stats`."),
    })
    .prefault({})
    .describe("Where clients connect, by what they come for."),
  maxConnections: z.int().min(10).default(4000).describe("Client connections to each balancer."),
});

const verify = z.strictObject({
  schedule: schedule
    .default("0 5 * * 0")
    .describe("When the newest backup is restored and looked through, as cron writes it."),
  keep: z.int().min(1).default(30).describe("How many results are kept."),
  checks: z
    .array(
      z.strictObject({
        database: identifier.describe("Where it is asked."),
        sql: z
          .string()
          .min(1)
          .regex(/^[^\n\r]+$/, { error: "one line of SQL" })
          .describe("A query whose answer must be `t`: one row, one column, true."),
      }),
    )
    .default([])
    .describe("Your own questions to the restored database."),
  cpu: z.int().min(1).default(50).describe("Percent of one processor core that it may take."),
});

const backup = z.strictObject({
  host: hostName.describe("Host with Barman, which keeps the backups."),
  onDatabaseHost: z
    .boolean()
    .default(false)
    .describe("Accept a host that holds the data too: what destroys it takes both."),
  directory: absolutePath
    .default("/var/lib/barman")
    .describe("Where the backups are kept, below it in a folder of the cluster's name."),
  schedule: schedule.default("0 2 * * *").describe("When a backup is taken, as cron writes it."),
  retention: z
    .string()
    .regex(/^RECOVERY WINDOW OF [1-9]\d* (DAYS|WEEKS|MONTHS)$/, {
      error: '"RECOVERY WINDOW OF 7 DAYS" (or WEEKS, MONTHS)',
    })
    .default("RECOVERY WINDOW OF 7 DAYS")
    .describe("To any moment of this time the database can be brought back; older is deleted."),
  minimumRedundancy: z
    .int()
    .min(1)
    .default(1)
    .describe("Backups that are kept whatever their age."),
  incremental: z
    .boolean()
    .default(true)
    .describe("Files that are as in the last backup are hard links to it. False: copied again."),
  compression: z.enum(["gzip", "none"]).default("gzip").describe("Of the WAL that is kept."),
  jobs: z.int().min(1).max(64).default(2).describe("Files that are copied at the same time."),
  bandwidth: size.optional().describe("Most that a backup reads in a second. Default: no limit."),
  verify: z
    .union([z.literal(false), verify])
    .prefault({})
    .describe("Prove backups by restoring them. False: nobody does."),
});

const firewall = z.strictObject({
  clients: z
    .array(network)
    .min(1)
    .optional()
    .describe("Networks that may use the database. Default: the network of the virtual IP."),
  ssh: z
    .array(network)
    .min(1)
    .default(["0.0.0.0/0", "::/0"])
    .describe("Networks that may log in by SSH."),
  admins: z
    .array(network)
    .default([])
    .describe("Networks that may see the statistics page and Patroni's REST API."),
  allow: z
    .array(
      z.strictObject({
        hosts: z.array(hostName).min(1).optional().describe("Hosts that let it in. Default: all."),
        from: z.array(network).min(1).describe("Networks that it comes from."),
        port: port.describe("Where it goes to."),
        protocol: z.enum(["tcp", "udp"]).default("tcp").describe("Which of the two it is."),
      }),
    )
    .default([])
    .describe("What else is let in."),
});

const system = z.strictObject({
  sysctl: z
    .union([
      z.literal(false),
      z.record(
        z.string().regex(/^[a-z0-9_]+(\.[a-z0-9_-]+)+$/, {
          error: "a kernel setting such as vm.swappiness",
        }),
        z.union([z.int(), z.string().regex(/^[A-Za-z0-9 ._-]+$/, { error: "a plain value" })]),
      ),
    ])
    .default({})
    .describe("Kernel settings; they win over pgherd's. False: none are set."),
  transparentHugePages: z
    .enum(["never", "madvise", "always", "keep"])
    .default("never")
    .describe("On the members; `keep` leaves it as it is."),
  timeSync: z.boolean().default(true).describe("Refuse hosts whose clock nobody sets."),
});

const fork = z.strictObject({
  name: name.max(40, { error: "a name of 40 characters at most" }).describe("The fork's name."),
  from: z
    .string()
    .default("replica")
    .describe("`replica` for any one, or the member on whose host it is made and stays."),
  port: port.describe("Where it listens, on that member's address."),
  memory: size.default("512MB").describe("Memory that it may use; beyond that it is restarted."),
  disk: size
    .default("10GB")
    .describe("What it may write of its own, or keep of what the member has changed since."),
  ttl: z
    .string()
    .regex(/^[1-9]\d*(m|h|d)$/, { error: 'a time such as "8h" or "3d"' })
    .optional()
    .describe("How long until the host removes it by itself. Default: never."),
});

/** The steps of a migration, in their order. */
export const MIGRATION_STEPS = [
  "prepared",
  "adopted",
  "replicated",
  "balanced",
  "backedUp",
  "cutOver",
] as const;

/** What both ways of a migration have. */
const migrationBasis = {
  superuser: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, { error: "the name of a role" })
    .default("postgres")
    .describe(
      "The server's superuser, as whom the user that runs the server may log in on its socket without a password.",
    ),
  maxRate: size
    .optional()
    .describe("Bytes per second that each first copy may take. Default: no limit."),
};

const adoptMigration = z
  .strictObject({
    method: z
      .literal("adopt")
      .optional()
      .describe("The server itself becomes the first member. Default: `adopt`."),
    from: hostName.describe(
      "Member with the server that runs already; it becomes the leader. Stays in the stack for the cluster's life.",
    ),
    until: z
      .enum(MIGRATION_STEPS)
      .default("cutOver")
      .describe("How far to go; see Migration. It only goes on: the way back is `rollback`."),
    rollback: z
      .boolean()
      .default(false)
      .describe(
        "Go back: the server stands alone again, as it was found, with all that was written.",
      ),
    ...migrationBasis,
    wait: seconds
      .default(300)
      .describe("Seconds to wait in the last step for clients to leave the old address."),
  })
  .describe("The server becomes the first member:");

const standbyClusterMigration = z
  .strictObject({
    method: z
      .literal("standbyCluster")
      .describe("The members follow the server, which stays as it is, until they take its place."),
    from: hostName.describe(
      "Host with the server that runs already; no member. Stays in the stack for the cluster's life.",
    ),
    port: port.optional().describe("Where the old server listens. Default: as `postgresql.port`."),
    until: z
      .enum(["prepared", "replicated", "balanced", "cutOver"])
      .default("cutOver")
      .describe("How far to go; see Migration. It only goes on: the way back is `rollback`."),
    rollback: z
      .boolean()
      .default(false)
      .describe("Go back, before `cutOver` only: the members let go of the server."),
    ...migrationBasis,
  })
  .describe("The server stays outside, and the members follow it until they take its place:");

const migration = z.discriminatedUnion("method", [adoptMigration, standbyClusterMigration]);

const hook = z.strictObject({
  name: name.describe("Its name in a preview."),
  when: z
    .enum(["before", "after", "cutOver"])
    .describe(
      "Before the first change of the cluster, after the last, or in a migration when clients have to move.",
    ),
  on: z.string().default("local").describe("`local`, or the name of a host (needs an SSH agent)."),
  run: z.string().min(1).describe("Shell command."),
});

/** A cluster as the user writes it, defaults filled in. */
export const cluster = z.strictObject({
  name: name.describe("The cluster's name: Patroni's scope, etcd's token."),
  postgresql: postgresql.prefault({}).describe("The database server and what is in it."),
  members: z
    .array(member)
    .min(1)
    .describe("Hosts that hold the data, each by its name or as `{ host, tags }`."),
  replication: replication.prefault({}).describe("What a commit waits for."),
  failover: failover
    .prefault({ profile: "default" })
    .describe("How soon, and to whom, the leader's place goes."),
  rolling: rolling.prefault({}).describe("How members restart when a setting needs it."),
  dcs: dcs.describe("Where it is agreed who leads."),
  loadBalancers: loadBalancers.optional().describe("HAProxy and the virtual IP."),
  backup: backup.optional().describe("Backups by Barman, and the WAL between them."),
  firewall: z
    .union([z.literal(false), firewall])
    .prefault({})
    .describe("Who may reach what; everything else is dropped. False: no rules."),
  system: system.prefault({}).describe("What is asked of the hosts themselves."),
  forks: z
    .array(fork)
    .default([])
    .describe("Writable copies of the database, made by copy-on-write; see Forks."),
  hooks: z.array(hook).default([]).describe("Your own commands around a change."),
  migration: migration.optional().describe("Make a cluster of a server that runs already."),
});

/** Everything a stack says to pgherd: the values of `pgherd:hosts`, `pgherd:ssh` and `pgherd:cluster`. */
export const settings = z.strictObject({
  hosts: z.record(name, host).describe("Every host, by its name."),
  ssh: ssh.prefault({}).describe("How hosts are reached."),
  cluster: cluster.describe("The cluster."),
});

export type Settings = z.infer<typeof settings>;
export type HostSettings = z.infer<typeof host>;
export type SshSettings = z.infer<typeof ssh>;
export type ClusterSettings = z.infer<typeof cluster>;
export type MigrationSettings = z.infer<typeof migration>;
export type AdoptionSettings = z.infer<typeof adoptMigration>;
export type FollowingSettings = z.infer<typeof standbyClusterMigration>;
export type MigrationStep = MigrationSettings["until"];
export type MemberSettings = ClusterSettings["members"][number];
export type UserSettings = z.infer<typeof user>;
export type DatabaseSettings = z.infer<typeof database>;
export type ForkSettings = z.infer<typeof fork>;
export type FirewallSettings = z.infer<typeof firewall>;
export type BackupSettings = z.infer<typeof backup>;
export type RecoveryTarget = z.infer<typeof recoveryTarget>;
