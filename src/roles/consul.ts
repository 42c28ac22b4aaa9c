import type { ClusterSettings } from "../config/schema";
import { dcsDirectory, ownDcsOf, pathOfOwn, registersService } from "./dcs";
import { listed, type Placement, type Port, type Role } from "./role";

/** What its agents are told; its user reads it, and root alone may change it. */
export const CONSUL_FOLDER = "/etc/pgherd/consul";
export const AGENT_FILE = `${CONSUL_FOLDER}/10-agent.json`;

/** Its gossip's key and its tokens. */
export const AGENT_SECRETS_FILE = `${CONSUL_FOLDER}/20-secrets.json`;

/** `consul validate` judges whole configurations only. */
const NOT_BY_ITSELF =
  "Consul takes no part of a configuration for a whole one, and here are only values that are generated";

/**
 * Consul as the DCS: servers, which decide who leads, and an agent on every other member, since Patroni can be told of one
 * host only (docs/yaml_configuration.rst), and the agent of its own finds a server that answers.
 */
export const consul: Role = {
  name: "consul",
  after: [],
  hosts: agents,
  user: "consul",

  software: (cluster) => (ownDcsOf(cluster, "consul") ? ["curl", "consul"] : []),
  sameVersions: ["consul"],
  // Tokens with secrets of one's own, transactions of all that is needed: tried with 1.8, Debian's own.
  leastVersion: { software: "consul", version: "1.8.0", setting: "dcs" },

  ports: [
    port("clientPort", "Consul's own agent", () => []),
    // It believes whoever is connected to it what he says of the servers' log.
    { ...port("serverPort", "Consul's servers", () => ["dcs"]), callers: ["consul"] },
    // What it tells everybody may know who may ask.
    {
      setting: "dcs.dnsPort",
      number: (cluster) =>
        registersService(cluster) ? ownDcsOf(cluster, "consul")?.dnsPort : undefined,
      purpose: "Consul's DNS",
      from: (cluster) => (ownDcsOf(cluster, "consul")?.dnsFor === "clients" ? ["clients"] : []),
      changeable: true,
      udp: true,
    },
    { ...port("gossipPort", "Consul's gossip", () => ["dcs"]), callers: ["consul"], udp: true },
  ],
  traffic: [],
  logins: [],

  secrets: (cluster) => {
    const dns = registersService(cluster) ? ["dns"] : [];
    const names = ["gossip", "management", "agent", "patroni", "pgherd", ...dns];
    return ownDcsOf(cluster, "consul") ? names.map((name) => ({ name: `consul-${name}` })) : [];
  },
  directories: [
    {
      owner: "consul",
      setting: "dcs.dataDirectory",
      path: (cluster) =>
        ownDcsOf(cluster, "consul") ? dcsDirectory(cluster, "consul") : undefined,
      name: "Consul's data",
    },
  ],
  database: false,
  kernel: {},

  elsewhere: { inUse: "systemctl -q is-active consul.service", files: "/etc/consul.d/*" },

  unit: "consul.service",
  journal: ["consul.service"],
  loading: "restart",
  effect: "restarts, one at a time, while the others are healthy",
  felt: true,
  waitForStart: false,
  validate: () => ({
    [AGENT_FILE]: "consul validate -quiet -config-format=json {}",
    [AGENT_SECRETS_FILE]: { none: NOT_BY_ITSELF },
  }),
  programs: {},
};

/** Its servers first, then the members that are none. */
function agents(cluster: ClusterSettings): Placement[] {
  const dcs = ownDcsOf(cluster, "consul");
  if (!dcs) return [];
  const others = listed("members", cluster.members, ({ host }) => host);
  return [
    ...listed(`${pathOfOwn(cluster, "consul")}.members`, dcs.members, (host) => host),
    ...others.filter(({ host }) => !dcs.members.includes(host)),
  ];
}

function port(
  setting: "clientPort" | "serverPort" | "gossipPort",
  purpose: string,
  from: Port["from"],
): Port {
  return {
    setting: `dcs.${setting}`,
    number: (cluster) => ownDcsOf(cluster, "consul")?.[setting],
    purpose,
    from,
  };
}
