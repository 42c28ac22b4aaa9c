import { z } from "zod";
import { name } from "./basics";

export const hook = z.strictObject({
  name: name.describe("Its name in a preview."),
  when: z
    .enum(["before", "after", "cutOver"])
    .describe(
      "Before the first change of the cluster, after the last, or in a migration when clients have to move.",
    ),
  on: z.string().default("local").describe("`local`, or the name of a host (needs an SSH agent)."),
  run: z
    .string()
    .regex(/^(?=[\s\S]*\S)[^\0]+$/, { error: "a shell command" })
    .describe("Shell command."),
});
