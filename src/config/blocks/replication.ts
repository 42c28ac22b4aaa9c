import { z } from "zod";

export const replication = z.strictObject({
  mode: z
    .enum(["asynchronous", "synchronous", "strict", "quorum"])
    .default("synchronous")
    .describe("What an acknowledged commit is worth; see docs/durability.md."),
  count: z
    .int()
    .min(1)
    .default(1)
    .describe("How many replicas confirm a commit; not for asynchronous."),
  acceptBlocking: z
    .boolean()
    .default(false)
    .describe("Accept strict with so few members that one failure stops all writes."),
});
