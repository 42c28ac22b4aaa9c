import { z } from "zod";
import { FORK_DEFAULTS } from "../cluster/forks";

// What the API takes and gives of forks. A fork's password is nowhere among it.

const seconds = z.int().describe("Seconds since 1970; 0 where there is none.");

const fork = z
  .object({
    name: z.string(),
    host: z.string().describe("The member on whose host it lives."),
    port: z.int(),
    state: z
      .enum(["running", "stopped", "incomplete", "broken"])
      .describe("`incomplete`: a run that made it was cut off; `broken`: only its name is known."),
    reason: z.string().describe("Why its host has stopped it; empty where it has not."),
    memory: z.number().describe("Bytes that it may use."),
    disk: z.number().describe("Bytes that it may take."),
    ttl: z.int().describe("Seconds for which it was to stay; 0 for ever."),
    begun: seconds,
    ends: seconds,
    copied: z.number().describe("Milliseconds that the copying took."),
    timeline: z.int(),
    own: z.number().optional().describe("Bytes of the disk that only it has."),
  })
  .describe("A writable copy of the database.");

export const forks = z.object({
  forks: z.array(fork),
  missing: z
    .array(z.string())
    .describe("Why members could not be asked: what forks they have is not known."),
});

export const forkParams = z.strictObject({ name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/) });

export const forkRequest = z.strictObject({
  name: z.string().meta({ examples: ["try-migration"] }),
  from: z
    .string()
    .optional()
    .describe(`\`replica\` for any one, or a member. Default: ${FORK_DEFAULTS.from}.`),
  port: z
    .int()
    .min(1)
    .max(65535)
    .optional()
    .describe("Where it listens. Default: the first free one from 5433."),
  memory: z.string().optional().describe(`What it may use. Default: ${FORK_DEFAULTS.memory}.`),
  disk: z
    .string()
    .optional()
    .describe(`What it may take for itself. Default: ${FORK_DEFAULTS.disk}.`),
  ttl: z
    .string()
    .optional()
    .describe(`When its host removes it: 8h, 3d, or \`never\`. Default: ${FORK_DEFAULTS.ttl}.`),
});

export const madeFork = fork.extend({
  uri: z.string().meta({ examples: ["postgresql://10.89.0.12:5433/"] }),
  seconds: z.number().describe("From the call until it takes connections."),
});

export const removedFork = z.object({
  removedFrom: z
    .array(z.string())
    .describe("Hosts that it was on; none if there was no such fork."),
});
