import { z } from "zod";
import { port, seconds } from "./basics";
import { localFile, loginName, proxyJump } from "./login";

/** How hosts are reached. */
export const ssh = z.strictObject({
  user: loginName.optional().describe("Login name. Default: your own user name."),
  port: port.optional().describe("SSH port. Default: `22`."),
  identityFile: localFile
    .optional()
    .describe(
      "Private key, or the public half of one that the SSH agent holds; read when connecting, never stored. Default: those of your SSH configuration, then the agent's.",
    ),
  knownHosts: localFile
    .optional()
    .describe("File with the keys of known hosts. Default: those of your SSH configuration."),
  proxyJump: proxyJump
    .optional()
    .describe(
      "Host to go through, for all hosts: `[user@]address[:port]`, several with commas; `none` for none. Default: from your SSH configuration.",
    ),
  sudo: z.boolean().default(true).describe("Become root with `sudo -n`. False: log in as root."),
  connectTimeout: seconds
    .optional()
    .describe(
      "Seconds to wait for a connection. Default: `ConnectTimeout` of your SSH configuration, else `10`.",
    ),
});
