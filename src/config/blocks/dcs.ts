import { z } from "zod";
import { secondsOf } from "../duration";
import { absolutePath, hostName, name, port, sizeWithin } from "./basics";

/** etcd counts it in nanoseconds and 63 bits; beyond a month there is no use for it. */
const LONGEST_HISTORY_HOURS = 720;

/** From the smallest that etcd's documentation shows to the largest that it suggests (op-guide/maintenance, dev-guide/limit). */
const quota = sizeWithin({
  least: "16MB",
  most: "8GB",
  why: "below it the history of a few hours fills it and no leader can be elected, above it etcd gets slow",
});

const members = z.array(hostName).min(1).describe("Hosts that vote on who leads: an odd number.");

const etcd = z
  .strictObject({
    kind: z.literal("etcd").describe("etcd, version 3."),
    members,
    clientPort: port.default(2379).describe("Where Patroni reaches etcd."),
    peerPort: port.default(2380).describe("Where etcd's members reach each other."),
    token: name
      .optional()
      .describe("Keeps clusters apart that start at once. Default: the cluster's `name`."),
    dataDirectory: absolutePath
      .optional()
      .describe("Where etcd keeps its data. Default: `/var/lib/etcd/NAME`, by the cluster's name."),
    quota: quota.default("2GB").describe("Largest database; a full one takes no more writes."),
    compaction: z
      .string()
      .regex(/^[1-9]\d*(m|h)$/, { error: 'a time such as "30m" or "1h"', abort: true })
      .refine((value) => secondsOf(value) <= LONGEST_HISTORY_HOURS * 3600, {
        error: `${LONGEST_HISTORY_HOURS}h or less (what is kept fills the quota)`,
      })
      .default("1h")
      .describe("How much history is kept."),
  })
  .describe("etcd on each of `members`:");

const consul = z
  .strictObject({
    kind: z.literal("consul").describe("Consul, by an agent on each host that asks it."),
    members,
    clientPort: port
      .default(8500)
      .describe("Where a host reaches its own agent, and nobody from outside."),
    serverPort: port.default(8300).describe("Where agents and servers reach the servers."),
    gossipPort: port
      .default(8301)
      .describe("Where all agents tell each other who is there, by TCP and UDP."),
    registerService: z
      .boolean()
      .default(false)
      .describe(
        "Whether Patroni tells Consul what each member is, for `primary.NAME.service.consul` in its DNS.",
      ),
    dnsPort: port
      .default(8600)
      .describe("Where Consul's DNS answers; with `registerService` only."),
    dnsFor: z
      .enum(["hosts", "clients"])
      .default("hosts")
      .describe(
        "Who may ask it: programs on the hosts that have an agent, or `firewall.clients` as well.",
      ),
    dataDirectory: absolutePath
      .optional()
      .describe(
        "Where Consul keeps its data. Default: `/var/lib/consul/NAME`, by the cluster's name.",
      ),
  })
  .describe(
    "Consul: a server on each of `members`, an agent on every other member of the cluster:",
  );

/** The voters of the cluster's DCS, and what its kind has to be told. */
export const dcs = z.discriminatedUnion("kind", [etcd, consul]);
