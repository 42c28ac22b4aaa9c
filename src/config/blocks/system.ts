import { z } from "zod";
import { DISTRIBUTION_NAMES } from "../../distributions/distributions";
import { byName } from "./basics";

export const system = z.strictObject({
  distribution: z
    .enum(DISTRIBUTION_NAMES)
    .optional()
    .describe(
      "What all hosts must run. Default: any release that pgherd knows, each host its own.",
    ),
  sysctl: z
    .union([
      z.literal(false),
      byName(
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
