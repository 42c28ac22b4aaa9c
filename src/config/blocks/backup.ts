import { z } from "zod";
import { windowDays } from "../schedule";
import { absolutePath, hostName, identifier, schedule, sizeWithin } from "./basics";

const verify = z.strictObject({
  schedule: schedule
    .default("0 5 * * 0")
    .describe("When the newest backup is restored and looked through, as cron writes it."),
  keep: z.int().min(1).max(10_000).default(30).describe("How many results are kept."),
  checks: z
    .array(
      z.strictObject({
        database: identifier.describe("Where it is asked."),
        sql: z
          .string()
          .min(1)
          .regex(/^(?=.*\S)[^\n\r\0]+$/, { error: "one line of SQL" })
          .describe("A query whose answer must be `t`: one row, one column, true."),
      }),
    )
    .default([])
    .describe("Your own questions to the restored database."),
  cpu: z
    .int()
    .min(1)
    .max(100_000)
    .default(50)
    .describe("Percent of one processor core that it may take."),
});

/** A century: Barman counts back from today, and there is no date before year 1. */
const LONGEST_WINDOW_DAYS = 36_500;

const bandwidth = sizeWithin({ least: "128kB", why: "a backup would not end before the next" });

export const backup = z.strictObject({
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
      abort: true,
    })
    .refine((value) => windowDays(value) <= LONGEST_WINDOW_DAYS, {
      error: `a window of ${LONGEST_WINDOW_DAYS} DAYS or less`,
    })
    .default("RECOVERY WINDOW OF 7 DAYS")
    .describe("To any moment of this time the database can be brought back; older is deleted."),
  minimumRedundancy: z
    .int()
    .min(1)
    .max(10_000)
    .default(1)
    .describe("Backups that are kept whatever their age."),
  incremental: z
    .boolean()
    .default(true)
    .describe("Files that are as in the last backup are hard links to it. False: copied again."),
  compression: z.enum(["gzip", "none"]).default("gzip").describe("Of the WAL that is kept."),
  jobs: z.int().min(1).max(64).default(2).describe("Files that are copied at the same time."),
  bandwidth: bandwidth
    .optional()
    .describe("Most that a backup reads in a second. Default: no limit."),
  verify: z
    .union([z.literal(false), verify])
    .prefault({})
    .describe("Prove backups by restoring them. False: nobody does."),
});
