import { z } from "zod";
import { hostName, isPrefixed, port, size } from "./basics";

const vip = z.string().refine((value) => isPrefixed(value), {
  error: 'an address with its prefix length, such as "10.89.0.100/24"',
});

/** HAProxy counts in milliseconds and 32 bits (its manual, 2.5 "Time format"). */
const LONGEST_DAYS = 24;

function secondsOf(value: string): number {
  const [, count, unit] = /^([1-9]\d{0,9})(ms|s|m|h|d)$/.exec(value) ?? [];
  return Number(count) * ({ ms: 0.001, s: 1, m: 60, h: 3600, d: 86400 }[unit ?? ""] ?? NaN);
}

const timeout = z.string().refine((value) => secondsOf(value) <= LONGEST_DAYS * 86400, {
  error: `a time such as 500ms, 30s, 10m or 24h, at most ${LONGEST_DAYS}d`,
  abort: true,
});

/** Of a session: a shorter one would cut every client that thinks, or waits for an answer. */
const silence = timeout.refine((value) => secondsOf(value) >= 1, {
  error: "1s or more (sessions would be cut while they work)",
});

/** A connection takes two files, and a process has 1048576 of them (fs.nr_open); with more HAProxy does not start. */
const MOST_CONNECTIONS = 500_000;

const timeouts = z.strictObject({
  client: silence
    .default("24h")
    .describe("A session in which the client says nothing for longer is cut."),
  server: silence.default("24h").describe("The same for the member, e.g. during a long query."),
  queue: timeout
    .default("5s")
    .describe("How long a client waits for a free connection to a member."),
  connect: timeout
    .default("4s")
    .describe(
      "How long a member may take to accept a connection; the primary's port tries again sooner.",
    ),
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
    .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,14}$/, { error: "a network interface such as eth0" })
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
  timeouts: timeouts
    .prefault({})
    .describe(
      "HAProxy's. A session may be silent for long: the systems' keepalives find dead ends.",
    ),
  maxConnections: z
    .int()
    .min(10)
    .max(MOST_CONNECTIONS)
    .default(4000)
    .describe("Client connections to each balancer."),
});
