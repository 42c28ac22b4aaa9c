import { z } from "zod";
import { DCS_KINDS } from "../roles/dcs";

// What the API takes and gives, for its checks and its OpenAPI document.

const condition = z
  .enum(["serving", "changing", "stopped", "failed", "silent", "unknown"])
  .describe("What its PostgreSQL can do.");

const member = z.object({
  name: z.string(),
  role: z.string().meta({ examples: ["leader", "sync_standby", "quorum_standby", "replica"] }),
  state: z.string().meta({ examples: ["running", "streaming", "no answer"] }),
  condition,
  unasked: z.literal(true).optional().describe("Its host could not be asked."),
  seenBy: z
    .array(z.string())
    .optional()
    .describe("Load balancers whose checks of it succeed, where its host could not be asked."),
  timeline: z.int().optional(),
  lagBytes: z.number().optional().describe("WAL that it has not replayed yet."),
  lagSeconds: z.number().optional().describe("From a commit to its replay there."),
  syncState: z.string().optional(),
  upstream: z.string().optional().describe("The member that it streams from."),
  pendingRestart: z.boolean(),
});

export const status = z
  .object({
    cluster: z.string(),
    at: z.iso.datetime(),
    health: z.enum(["healthy", "degraded", "down", "unknown"]),
    healthy: z.boolean(),
    paused: z.boolean(),
    scheduledSwitchover: z.object({ at: z.string(), to: z.string().optional() }).optional(),
    unviewed: z
      .literal(true)
      .optional()
      .describe("No Patroni could be asked: whether it is paused is not known."),
    members: z.array(member),
    dcs: z.object({
      kind: z.enum(DCS_KINDS),
      existing: z
        .literal(true)
        .optional()
        .describe("Somebody else runs it: members are the cluster's, healthy is who it answers."),
      movesTo: z
        .enum(DCS_KINDS)
        .optional()
        .describe("Where the stack moves the cluster to, as long as nobody answers there."),
      members: z.array(
        z.object({
          host: z.string(),
          healthy: z.boolean(),
          leader: z.boolean(),
          databaseBytes: z.number().optional().describe("What is free in it included."),
          usedBytes: z.number().optional(),
          quotaBytes: z.number().optional().describe("What its database may have."),
          alarms: z.array(z.string()).describe("Of the whole DCS: NOSPACE forbids all writes."),
          unknown: z.literal(true).optional().describe("Its host could not be asked."),
        }),
      ),
      agents: z
        .array(
          z.object({
            host: z.string(),
            condition: z
              .enum(["serving", "away", "refused", "cut off", "unknown"])
              .describe("Unknown where its host could not be asked."),
          }),
        )
        .optional()
        .describe("By which hosts ask that do not vote; only where there are any."),
    }),
    vips: z.array(z.string()),
    loadBalancers: z.array(
      z.object({
        host: z.string(),
        answers: z.boolean(),
        unknown: z.literal(true).optional().describe("Its host could not be asked."),
        holdsVip: z.boolean(),
        entrances: z.record(z.string(), z.array(z.string())),
        servers: z.array(
          z.object({
            entrance: z.string(),
            server: z.string(),
            sessions: z.int(),
            status: z.string(),
          }),
        ),
      }),
    ),
    standalone: z
      .object({ host: z.string(), port: z.int(), condition, state: z.string() })
      .optional()
      .describe("The server that a migration was rolled back to; all else is empty then."),
    backup: z
      .looseObject({
        host: z.string(),
        unknown: z.literal(true).optional().describe("Its host could not be asked."),
        running: z.boolean(),
        problems: z.array(z.string()),
      })
      .optional()
      .describe("The newest backup, WAL that is to come, and the last test restore."),
    problems: z.array(z.string()).describe("Why it is not healthy, a sentence each."),
  })
  .describe("A cluster as it is now.");

const interruption = z
  .object({
    kind: z.enum(["writes", "reads"]),
    from: z.iso.datetime().describe("The last success before."),
    to: z.iso.datetime().optional().describe("The next success; absent while it lasts."),
    ms: z.number(),
    before: z.string().optional(),
    after: z.string().optional(),
    error: z.string().optional(),
  })
  .describe("A time without success, as a client sees it.");

const kind = z.object({
  succeeded: z.int(),
  failed: z.int(),
  latencyMs: z
    .object({ p50: z.number(), p95: z.number(), p99: z.number(), max: z.number() })
    .optional(),
});

export const probe = z
  .object({
    running: z.boolean(),
    report: z
      .object({
        since: z.iso.datetime(),
        until: z.iso.datetime(),
        writes: kind,
        reads: kind,
        interruptions: z.array(interruption),
        seconds: z.array(
          z.object({
            at: z.int(),
            writes: z.int(),
            writesFailed: z.int(),
            reads: z.int(),
            readsFailed: z.int(),
          }),
        ),
      })
      .optional(),
  })
  .describe("Writes and reads through the entry point.");

export const intent = z
  .object({
    from: z.string().optional(),
    to: z.string().optional(),
    at: z.string().optional(),
    refusals: z.array(z.string()).describe("Why it must not be done."),
    objections: z.array(z.string()).describe("Why it should wait; may be overruled."),
    effects: z.array(z.string()).describe("What it will do."),
  })
  .describe("What would be done, without doing it.");

export const history = z
  .object({
    events: z.array(
      z.object({
        at: z.iso.datetime().optional().describe("Absent where nobody has written it down."),
        source: z.enum(["patroni", "verb", "api", "pulumi"]).describe("Who tells it."),
        text: z.string(),
      }),
    ),
    missing: z.array(z.string()).describe("What could not be found out."),
  })
  .describe("Leaders and starts, verbs of the server's machine and user, and calls of this API.");

export const sessions = z
  .object({
    sessions: z.array(
      z.object({
        user: z.string(),
        database: z.string(),
        application: z.string(),
        from: z.string().describe("An address, or `socket`."),
        state: z.string().meta({ examples: ["active", "idle", "idle in transaction"] }),
        count: z.int(),
        openSeconds: z.int().optional().describe("Of the oldest transaction among them."),
      }),
    ),
    total: z.int().describe("Of clients, those that are not listed included."),
    maximum: z.int().describe("`max_connections`"),
  })
  .describe("Sessions of clients, put together; no statement is told.");

export const logsQuery = z.strictObject({
  daemon: z.string().optional().describe("One of the host's. Default: all."),
  lines: z.int().min(1).max(500).optional().describe("The latest ones. Default: 100."),
});

export const logs = z
  .object({
    daemons: z.array(z.string()).describe("Those of the host."),
    lines: z.array(z.object({ at: z.iso.datetime(), unit: z.string(), text: z.string() })),
  })
  .describe("The oldest line first; a very long one is cut.");

const cost = {
  interruption: interruption.optional().describe("The longest time without a commit."),
  unmeasured: z.string().optional().describe("Why nothing can be said about it."),
};

export const switchoverRequest = z.strictObject({
  to: z
    .string()
    .optional()
    .describe("Who is to lead. Default: the synchronous replica least behind."),
  at: z.iso
    .datetime({ offset: true })
    .optional()
    .describe("When Patroni is to do it. Default: now."),
  force: z.boolean().optional().describe("Go on in spite of long transactions and backups."),
});

export const switchoverOutcome = z.object({
  from: z.string(),
  to: z.string(),
  at: z.string().optional(),
  timeline: z.int().optional(),
  seconds: z.number().optional().describe("Until the old leader streams from the new one."),
  ...cost,
});

export const failoverRequest = z.strictObject({
  to: z.string().optional().describe("Who is to lead."),
  acceptDataLoss: z.boolean().optional().describe("Accept that commits are lost."),
});

export const failoverOutcome = z.object({ to: z.string(), seconds: z.number() });

export const restartRequest = z.strictObject({
  pendingOnly: z.boolean().optional().describe("Only if a setting waits for it."),
  force: z.boolean().optional().describe("Go on in spite of long transactions."),
});

export const restartQuery = restartRequest.pick({ pendingOnly: true });

export const durationOutcome = z.object({ seconds: z.number(), ...cost });

export const reinitRequest = z.strictObject({
  confirm: z.string().describe("The member's name once more: all its data is deleted."),
});

export const pauseRequest = z.strictObject({ paused: z.boolean() });

export const probeRequest = z.strictObject({ running: z.boolean() });

export const power = z
  .record(z.string(), z.enum(["up", "booting", "off"]))
  .describe("The lab's hosts.");

export const powerRequest = z.strictObject({ on: z.boolean() });

/** A call that takes no wishes. */
export const nothing = z.strictObject({});

export const done = z.object({}).describe("Done.");

export const problem = z.object({
  error: z.string().describe("What went wrong, and what to do next."),
  reasons: z.array(z.string()).optional().describe("Of a refusal, each by itself."),
});

/** As JSON schema, without the mark of its dialect, which Fastify's checker does not know. */
export function jsonSchema(shape: z.ZodType): object {
  return { ...z.toJSONSchema(shape, { target: "draft-7" }), $schema: undefined };
}
