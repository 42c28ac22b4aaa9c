import { z } from "zod";
import { hostName, network, port, systemUser } from "./basics";

export const firewall = z.strictObject({
  clients: z
    .array(network)
    .min(1)
    .optional()
    .describe("Networks that may use the database. Default: the network of the virtual IP."),
  ssh: z
    .array(network)
    .min(1)
    .default(["0.0.0.0/0", "::/0"])
    .describe("Networks that may log in by SSH."),
  admins: z
    .array(network)
    .default([])
    .describe("Networks that may see the statistics page and Patroni's REST API."),
  monitors: z
    .array(systemUser)
    .default([])
    .describe("Users of the hosts, beside root and the daemons', that may ask Patroni's REST API."),
  allow: z
    .array(
      z.strictObject({
        hosts: z.array(hostName).min(1).optional().describe("Hosts that let it in. Default: all."),
        from: z.array(network).min(1).describe("Networks that it comes from."),
        port: port.describe("Where it goes to."),
        protocol: z.enum(["tcp", "udp"]).default("tcp").describe("Which of the two it is."),
      }),
    )
    .default([])
    .describe("What else is let in."),
});
