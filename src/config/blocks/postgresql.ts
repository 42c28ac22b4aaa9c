import { z } from "zod";
import { ANY_HOST, forMajor } from "../../distributions/distributions";
import { epochOf } from "../time";
import { absolutePath, byName, hostName, identifier, name, port, sizeWithin } from "./basics";

/**
 * A package as Debian names it (policy, 5.6.1), which apt-get takes for nothing else: `name-` would remove it, and a name
 * that no package has is a pattern where it holds a dot or a plus (apt-get(8)).
 */
const PACKAGE = /^[a-z0-9][a-z0-9+.-]*[a-z0-9]$|^[a-z0-9]([a-z0-9.-]*[a-z0-9])?\+\+$/;

/** MAX_BACKENDS (src/include/postmaster/postmaster.h). */
const MOST_CONNECTIONS = 262_143;

/** Half of them become parallel workers, of which a server has 1024 at most (guc_tables.c, MAX_PARALLEL_WORKER_LIMIT). */
const MOST_CORES = 2048;

const memory = sizeWithin({ least: "128MB", why: "no server can be tuned for less" });
const disk = sizeWithin({ least: "1GB", why: "WAL alone takes that" });

const parameterValue = z.union([z.string(), z.number(), z.boolean()]);

const user = z.strictObject({
  name: identifier.describe("Login name."),
  superuser: z
    .literal(false)
    .default(false)
    .describe("Superusers are made by hand, not by a stack file."),
  onRemoval: z
    .enum(["close", "keep", "drop"])
    .default("close")
    .describe(
      "What happens once it is taken out of the stack: its login is closed, it stays as it is, or it is dropped.",
    ),
  createdb: z.boolean().default(false).describe("May create databases."),
  createrole: z.boolean().default(false).describe("May create roles."),
  connectionLimit: z
    .int()
    .min(-1)
    .max(MOST_CONNECTIONS)
    .default(-1)
    .describe("Concurrent connections; -1 is no limit."),
  grants: z
    .array(identifier)
    .optional()
    .describe(
      "Roles whose rights it has, and no others: further `users`, and PostgreSQL's own such as `pg_monitor` or `pg_read_all_data`. Default: those that it has been granted by hand.",
    ),
});

const schema = z.strictObject({
  name: identifier.describe("The schema's name."),
  owner: identifier.optional().describe("One of `users`. Default: the database's owner."),
  usage: z
    .array(identifier)
    .default([])
    .describe(
      "Further `users` that may reach what is in it, as far as they have rights there. Nothing is taken back.",
    ),
  create: z
    .array(identifier)
    .default([])
    .describe("Further `users` that may create something in it. Nothing is taken back."),
});

const database = z.strictObject({
  name: identifier.describe("The database's name."),
  owner: identifier.describe("One of `users`."),
  onRemoval: z
    .enum(["keep", "drop"])
    .default("keep")
    .describe(
      "What happens once it is taken out of the stack: it stays, or it is dropped with all its data.",
    ),
  extensions: z
    .array(
      z.string().regex(/^[a-z][a-z0-9_-]*$/, { error: "the name of an extension such as pg_trgm" }),
    )
    .default([])
    .describe("Extensions to create."),
  schemas: z
    .array(schema)
    .default([])
    .describe("Schemas to create, each with its owner. One that leaves the stack stays."),
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

export const recoveryTarget = z
  .union([
    z.strictObject({
      time: z
        .string()
        .regex(/^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)$/, {
          error: 'a time with its zone, such as "2026-11-21 14:30:00+01"',
          abort: true,
        })
        .refine((value) => Number.isFinite(epochOf(value)), {
          error: "a time that there is, such as 2026-11-21 14:30:00+01",
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

export const postgresql = z.strictObject({
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
      `Where a member keeps its data. Default: \`${forMajor(ANY_HOST.paths.data, "VERSION")}\`, as Debian has it.`,
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
      z.string().regex(PACKAGE, {
        error: "the name of a Debian package such as postgresql-17-postgis-3",
      }),
    )
    .default([])
    .describe("Further Debian packages for the members, e.g. of extensions."),
  resources: z
    .strictObject({
      memory: memory
        .optional()
        .describe("Memory that PostgreSQL may count on. Default: that of the smallest member."),
      cores: z
        .int()
        .min(1)
        .max(MOST_CORES)
        .optional()
        .describe("Processor cores. Default: those of the smallest member."),
      disk: disk
        .optional()
        .describe(
          "Size of the data directory's file system. Default: that of the smallest member.",
        ),
    })
    .prefault({})
    .describe("What PostgreSQL's settings are tuned for."),
  parameters: byName(
    // An extension's has one dot (src/backend/utils/misc/guc-file.l, QUALIFIED_ID).
    z.string().regex(/^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/i, {
      error: "a setting such as work_mem, or pg_stat_statements.max",
    }),
    parameterValue,
  )
    .default({})
    .describe("Settings of postgresql.conf, the same on all members; they win over tuned ones."),
  users: z.array(user).default([]).describe("Login roles. Each gets a generated password."),
  databases: z
    .array(database)
    .default([])
    .describe("Databases to create, each with its owner and extensions."),
  slots: byName(identifier, slot)
    .default({})
    .describe(
      "Replication slots to keep through every change of the leader, by name: `{ type: physical }`, or `{ type: logical, database, plugin }` (plugin is pgoutput if left out).",
    ),
  pgHba: z
    .array(z.string())
    .default([])
    .describe("Lines of pg_hba.conf, after pgherd's own, which let every user in by password."),
  pgHbaFirst: z
    .array(z.string())
    .default([])
    .describe(
      "Lines of pg_hba.conf before those by which clients get in, e.g. to keep somebody out; after those of the cluster's own roles.",
    ),
  pgHbaFromAnywhere: z
    .boolean()
    .default(false)
    .describe(
      "Allow lines of `pgHba` and `pgHbaFirst` that let every address in (0.0.0.0/0, ::/0, all).",
    ),
});
