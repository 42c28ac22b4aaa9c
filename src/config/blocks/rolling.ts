import { z } from "zod";
import { LONGEST_SECONDS, seconds, size } from "./basics";

export const rolling = z.strictObject({
  maximumLag: size
    .default("10MB")
    .describe("A replica further behind than this takes over nothing, and the next one must wait."),
  longestTransaction: seconds
    .default(15)
    .describe("Seconds that a transaction may have been open when its member is restarted."),
  drain: z
    .int()
    .min(0)
    .max(LONGEST_SECONDS)
    .default(15)
    .describe("Seconds that sessions of a replica have to end before it is restarted."),
  wait: seconds
    .default(120)
    .describe(
      "Seconds to wait for lag and transactions before the run ends, with the cluster serving.",
    ),
});
