import { z } from "zod";
import { absolutePath, hostName, name, port, size } from "./basics";

export const dcs = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("etcd").describe("etcd, version 3."),
    members: z.array(hostName).min(1).describe("Hosts that vote on who leads: an odd number."),
    clientPort: port.default(2379).describe("Where Patroni reaches etcd."),
    peerPort: port.default(2380).describe("Where etcd's members reach each other."),
    token: name
      .optional()
      .describe("Keeps clusters apart that start at once. Default: the cluster's `name`."),
    dataDirectory: absolutePath
      .optional()
      .describe("Where etcd keeps its data. Default: `/var/lib/etcd/NAME`, by the cluster's name."),
    quota: size.default("2GB").describe("Largest database; a full one takes no more writes."),
    compaction: z
      .string()
      .regex(/^[1-9]\d*(m|h)$/, { error: 'a time such as "30m" or "1h"' })
      .default("1h")
      .describe("How much history is kept."),
  }),
]);
