import { z } from "zod";
import { port, seconds } from "./basics";

/** How hosts are reached. */
export const ssh = z.strictObject({
  user: z.string().optional().describe("Login name. Default: your own user name."),
  port: port.optional().describe("SSH port. Default: `22`."),
  identityFile: z
    .string()
    .optional()
    .describe("Private key; read when connecting, never stored. Default: the SSH agent."),
  knownHosts: z
    .string()
    .optional()
    .describe("File with the keys of known hosts. Default: `~/.ssh/known_hosts`."),
  proxyJump: z
    .string()
    .optional()
    .describe("Host to go through, for all hosts: `[user@]address[:port]`."),
  sudo: z.boolean().default(true).describe("Become root with `sudo -n`. False: log in as root."),
  connectTimeout: seconds.default(10).describe("Seconds to wait for a connection."),
});
