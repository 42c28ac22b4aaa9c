import { z } from "zod";
import { address, port } from "./basics";

/** A host as the user writes it. */
export const host = z.strictObject({
  address: address.describe(
    "Where the other hosts reach it, and where SSH does: an IPv4 or IPv6 address.",
  ),
  port: port.optional().describe("SSH port. Default: from `pgherd:ssh`."),
  user: z.string().optional().describe("Login name. Default: from `pgherd:ssh`."),
  hostKey: z
    .string()
    .regex(/^(ssh-|ecdsa-)[a-z0-9@.-]+ [A-Za-z0-9+/=]+/, {
      error: 'a public host key such as "ssh-ed25519 AAAA…" (ssh-keyscan prints it)',
    })
    .optional()
    .describe(
      "Public host key, `ssh-ed25519 AAAA…`; another one is never accepted. Default: from the known_hosts files.",
    ),
  proxyJump: z
    .string()
    .optional()
    .describe("Host to go through, `[user@]address[:port]`. Default: from `pgherd:ssh`."),
});
