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

/** Where one that is there already is asked. What Patroni and curl take: a scheme, a host, a port, and no more. */
const endpoint = z
  .string()
  .regex(/^https?:\/\/(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+):[1-9]\d{0,4}$/, {
    error: 'an address with its port such as "https://10.0.0.21:2379"',
    abort: true,
  })
  .refine((value) => Number(/\d+$/.exec(value)?.[0]) <= 65535, {
    error: "a port of 65535 or less",
  });

const certificate = z
  .string()
  .regex(/^\s*-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=-]+-----END CERTIFICATE-----\s*$/, {
    error: "a certificate as PEM: -----BEGIN CERTIFICATE----- and what follows",
  });

/** What is said of both kinds of it. */
const existing = {
  ca: certificate
    .optional()
    .describe("Certificate of the authority that its servers' are of. Default: the hosts' own."),
  certificate: certificate
    .optional()
    .describe(
      "Certificate that its clients show; the key is a secret, `pulumi config set --secret pgherd:dcsKey`.",
    ),
  prefix: z
    .string()
    .regex(/^\/[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*\/?$/, {
      error: 'a path such as "/service" (letters, digits and . _ -)',
    })
    .default("/service")
    .describe("All that is written there lies below it, by the cluster's `name`."),
};

const existingEtcd = z
  .strictObject({
    kind: z.literal("etcd").describe("etcd, version 3."),
    endpoints: z
      .array(endpoint)
      .min(1)
      .refine((all) => new Set(all.map((url) => url.replace(/:.*/s, ""))).size < 2, {
        error: "all endpoints by https, or all by http: Patroni speaks to all alike",
      })
      .describe(
        "Where its members take requests of clients; each member of the cluster asks them.",
      ),
    username: z
      .string()
      .regex(/^[!-9;-~]+$/, { error: "a name of letters and signs, without blanks and colons" })
      .optional()
      .describe(
        "Its user; the password is a secret, `pulumi config set --secret pgherd:dcsPassword`.",
      ),
    ...existing,
  })
  .describe("An etcd that is there already; see docs/existing-dcs.md:");

const existingConsul = z
  .strictObject({
    kind: z.literal("consul").describe("Consul."),
    endpoints: z
      .array(endpoint)
      .length(1, {
        error:
          "one endpoint, that of the agent which each member's host has: Patroni can be told of one only",
      })
      .describe("Where each member's host reaches its own agent: `http://127.0.0.1:8500`."),
    anonymous: z.boolean().default(false).describe("It lets everybody in, without a token."),
    ...existing,
  })
  .describe(
    "A Consul that is there already, its token a secret (`pulumi config set --secret pgherd:dcsToken`):",
  );

const former = {
  movedFrom: z
    .union([etcd, consul, existingEtcd, existingConsul])
    .optional()
    .describe(
      "The block `dcs` of before, as long as a running cluster moves from there; see docs/moving-dcs.md.",
    ),
};

/** The voters of the cluster's DCS and what its kind has to be told, or where one is that somebody else runs. */
export const dcs = z.union([
  etcd.extend(former).describe(etcd.description ?? ""),
  consul.extend(former).describe(consul.description ?? ""),
  existingEtcd.extend(former).describe(existingEtcd.description ?? ""),
  existingConsul.extend(former).describe(existingConsul.description ?? ""),
]);
