import { z } from "zod";
import { address, port } from "./basics";
import { hostKey, loginName, proxyJump } from "./login";

/** A host as the user writes it. */
export const host = z.strictObject({
  address: address.describe(
    "Where the other hosts reach it, and where SSH does: an IPv4 or IPv6 address.",
  ),
  port: port.optional().describe("SSH port. Default: from `pgherd:ssh`."),
  user: loginName.optional().describe("Login name. Default: from `pgherd:ssh`."),
  hostKey: hostKey
    .optional()
    .describe(
      "Public host key, `ssh-ed25519 AAAA…`; another one is never accepted. Default: from the known_hosts files.",
    ),
  proxyJump: proxyJump
    .optional()
    .describe("Host to go through, `[user@]address[:port]`. Default: from `pgherd:ssh`."),
});
