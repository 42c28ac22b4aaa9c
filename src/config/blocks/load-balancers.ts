import { z } from "zod";
import { hostName, isPrefixed, port, size } from "./basics";

const vip = z.string().refine((value) => isPrefixed(value), {
  error: 'an address with its prefix length, such as "10.89.0.100/24"',
});

export const loadBalancers = z.strictObject({
  hosts: z.array(hostName).min(1).describe("Hosts with HAProxy."),
  vip: z
    .union([vip, z.array(vip).min(1).max(2)])
    .default([])
    .transform((value) => (typeof value === "string" ? [value] : value))
    .describe(
      "Virtual IP address with prefix length, held by one of the hosts; or two, an IPv4 and an IPv6 one. Needs two hosts.",
    ),
  interface: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,15}$/, { error: "a network interface such as eth0" })
    .optional()
    .describe("Network interface that carries the virtual IP, e.g. `eth0`. Needed with `vip`."),
  virtualRouterId: z
    .int()
    .min(1)
    .max(255)
    .default(51)
    .describe("VRRP id, unique in the network segment."),
  preempt: z
    .boolean()
    .default(false)
    .describe("Whether the first host takes the address back on return."),
  replicaFallback: z
    .boolean()
    .default(false)
    .describe("Whether the replica port leads to the primary while there is no replica."),
  // What autobase's HAProxy asks for too.
  maximumLag: size
    .default("100MB")
    .describe("WAL that a replica may have left to apply, and still be read from."),
  ports: z
    .strictObject({
      primary: port.default(5000).describe("Reads and writes."),
      replica: port.default(5001).describe("Reads from any replica."),
      synchronous: port.default(5002).describe("Reads from a synchronous replica."),
      asynchronous: port.default(5003).describe("Reads from the other replicas."),
      stats: port.default(7000).describe("Statistics page, for the user `stats`."),
    })
    .prefault({})
    .describe("Where clients connect, by what they come for."),
  maxConnections: z.int().min(10).default(4000).describe("Client connections to each balancer."),
});
