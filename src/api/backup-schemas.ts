import { z } from "zod";
import { intent } from "./schemas";

// What the API takes and gives of backups and restores.

const seconds = z.int().describe("Seconds since 1970; 0 where there is none.");

export const backup = z
  .object({
    id: z.string().meta({ examples: ["20261121T020001"] }),
    status: z.string().meta({ examples: ["DONE", "STARTED", "WAITING_FOR_WALS", "FAILED"] }),
    error: z.string().describe("Why it failed."),
    beganAt: seconds,
    endedAt: seconds,
    timeline: z.int(),
    beginLsn: z.string(),
    endLsn: z.string().describe("The database can be brought back to here and everything after."),
    version: z.int().describe("PostgreSQL's major version."),
    size: z.number().describe("Bytes of the database in it."),
    ownSize: z.number().describe("Bytes that it has taken beside what it shares with others."),
    segmentBytes: z.int(),
    tablespaces: z.unknown(),
  })
  .describe("A base backup.");

export const verification = z
  .object({
    backup: z.string(),
    ok: z.boolean(),
    problem: z.string(),
    startedAt: seconds,
    endedAt: seconds,
    restoreSeconds: z.number(),
    bytes: z.number(),
  })
  .describe("What came of a test restore.");

export const backups = z.object({
  backups: z.array(backup).describe("The newest first."),
  taking: z.boolean().describe("Whether one is being taken now, by whomever."),
  nextBackupAt: seconds,
  verifications: z.array(verification).describe("The newest first."),
  now: seconds.describe("The backup host's clock."),
});

export const checks = z.object({
  ok: z.boolean(),
  failed: z.array(z.string()).describe("Each with what Barman says of it."),
});

const target = {
  targetTime: z
    .string()
    .optional()
    .describe("Up to the last commit before, with its zone: `2026-11-21 14:30:00+01`."),
  targetXid: z.string().optional().describe("Up to this transaction, included."),
  targetLsn: z.string().optional().describe("Up to this position of the WAL: `0/5000060`."),
  targetName: z.string().optional().describe("Up to a point of pg_create_restore_point."),
  latest: z.literal(true).optional().describe("All that the archive has."),
  targetTimeline: z.string().optional().describe("Default: the one that the database is on."),
  backup: z.string().optional().describe("Default: the newest before the target."),
  tablespace: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe("Puts this tablespace there on each member: `figures:/srv/figures2`; or several."),
};

/** Exactly one target. */
export const restoreQuery = z.strictObject(target);

const confirm = z
  .string()
  .describe("What `GET` of the same has told as `confirm`: that you have read what is lost.");

export const restoreRequest = z.strictObject({ ...target, confirm });

export const confirmed = z.strictObject({ confirm });

export const restoreIntent = intent
  .extend({
    confirm: z
      .string()
      .optional()
      .describe("Agrees to exactly this, in the call that does it; absent where it is refused."),
  })
  .describe("What would be done and lost, without doing it.");

const kept = z
  .record(z.string(), z.string())
  .describe("Where each member keeps the data that was put aside.");

const keptTablespaces = z
  .record(z.string(), z.array(z.string()))
  .optional()
  .describe("Where each member keeps what was in places of tablespaces.");

export const restoreOutcome = z.object({
  backup: z.string(),
  timeline: z.int(),
  seconds: z.number(),
  kept,
  keptTablespaces,
});

export const resumeOutcome = z.object({ timeline: z.int(), kept, keptTablespaces });

export const undoOutcome = z.object({
  undone: z.array(z.string()).describe("Members."),
  kept,
  keptTablespaces,
});
