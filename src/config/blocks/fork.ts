import { z } from "zod";
import { secondsOf } from "../duration";
import { name, port, sizeWithin } from "./basics";

const LONGEST_TTL_DAYS = 3650;

const memory = sizeWithin({ least: "64MB", why: "PostgreSQL does not start with less" });
const disk = sizeWithin({ least: "256MB", why: "a server's WAL alone may take that" });

export const fork = z.strictObject({
  name: name.max(40, { error: "a name of 40 characters at most" }).describe("The fork's name."),
  from: z
    .string()
    .default("replica")
    .describe("`replica` for any one, or the member on whose host it is made and stays."),
  port: port.describe("Where it listens, on that member's address."),
  memory: memory.default("512MB").describe("Memory that it may use; beyond that it is restarted."),
  disk: disk
    .default("10GB")
    .describe("What it may write of its own, or keep of what the member has changed since."),
  ttl: z
    .string()
    .regex(/^[1-9]\d*(m|h|d)$/, { error: 'a time such as "8h" or "3d"', abort: true })
    .refine((value) => secondsOf(value) <= LONGEST_TTL_DAYS * 86400, {
      error: `${LONGEST_TTL_DAYS}d or less`,
    })
    .optional()
    .describe("How long until the host removes it by itself. Default: never."),
});
