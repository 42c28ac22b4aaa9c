import { z } from "zod";
import { hostName } from "./basics";

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

export const member = z
  .union([
    hostName,
    z.strictObject({
      host: hostName,
      tags: tags.default({}).describe("What Patroni may use the member for."),
    }),
  ])
  .transform((value) => (typeof value === "string" ? { host: value, tags: {} } : value));
