import { z } from "zod";
import { stepNames } from "../../migration/steps";
import { hostName, port, seconds, sizeWithin } from "./basics";

/** What pg_basebackup takes (src/bin/pg_basebackup/pg_basebackup.c, MAX_RATE_LOWER and _UPPER). */
const maxRate = sizeWithin({ least: "32kB", most: "1GB", why: "pg_basebackup takes no other" });

/** What both ways of a migration have. */
const migrationBasis = {
  superuser: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, { error: "the name of a role" })
    .default("postgres")
    .describe(
      "The server's superuser, as whom the user that runs the server may log in on its socket without a password.",
    ),
  maxRate: maxRate
    .optional()
    .describe("Bytes per second that each first copy may take. Default: no limit."),
};

export const adoptMigration = z
  .strictObject({
    method: z
      .literal("adopt")
      .optional()
      .describe("The server itself becomes the first member. Default: `adopt`."),
    from: hostName.describe(
      "Member with the server that runs already; it becomes the leader. Stays in the stack for the cluster's life.",
    ),
    until: z
      .enum(stepNames("adopt"))
      .default("cutOver")
      .describe(
        "How far to go; see docs/migration.md. It only goes on: the way back is `rollback`.",
      ),
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

export const standbyClusterMigration = z
  .strictObject({
    method: z
      .literal("standbyCluster")
      .describe("The members follow the server, which stays as it is, until they take its place."),
    from: hostName.describe(
      "Host with the server that runs already; no member. Stays in the stack for the cluster's life.",
    ),
    port: port.optional().describe("Where the old server listens. Default: as `postgresql.port`."),
    until: z
      .enum(stepNames("standbyCluster"))
      .default("cutOver")
      .describe(
        "How far to go; see docs/migration.md. It only goes on: the way back is `rollback`.",
      ),
    rollback: z
      .boolean()
      .default(false)
      .describe("Go back, before `cutOver` only: the members let go of the server."),
    ...migrationBasis,
  })
  .describe("The server stays outside, and the members follow it until they take its place:");

export const migration = z.discriminatedUnion("method", [adoptMigration, standbyClusterMigration]);
