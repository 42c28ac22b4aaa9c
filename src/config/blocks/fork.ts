import { z } from "zod";
import { name, port, size } from "./basics";

export const fork = z.strictObject({
  name: name.max(40, { error: "a name of 40 characters at most" }).describe("The fork's name."),
  from: z
    .string()
    .default("replica")
    .describe("`replica` for any one, or the member on whose host it is made and stays."),
  port: port.describe("Where it listens, on that member's address."),
  memory: size.default("512MB").describe("Memory that it may use; beyond that it is restarted."),
  disk: size
    .default("10GB")
    .describe("What it may write of its own, or keep of what the member has changed since."),
  ttl: z
    .string()
    .regex(/^[1-9]\d*(m|h|d)$/, { error: 'a time such as "8h" or "3d"' })
    .optional()
    .describe("How long until the host removes it by itself. Default: never."),
});
