import type { ClusterSettings, Settings } from "../config/schema";
import { MANAGEMENT, MANAGEMENT_FILE, TOKEN_FILE, tokenFiles } from "../dcs/consul/local";
import { AGENT_FILE, AGENT_SECRETS_FILE, consul, CONSUL_FOLDER } from "../roles/consul";
import { dcsDirectory, madeDirectory, namedKind, ownDcsOf, registersService } from "../roles/dcs";
import { hostsOf, type SecretName } from "../roles/roles";
import { addressOf } from "./addresses";
import { urlsOf } from "./dcs";
import { endpoint, render } from "./template";
import type { DcsAccessPlan, SecretFile, SecretFiles, ServicePlan } from "./types";

type Token = "agent" | "patroni" | "pgherd" | "dns";

/** Its tokens: those of its own agents, Patroni's, that with which pgherd asks, and that of whoever has none. */
function tokensOf(cluster: ClusterSettings): readonly Token[] {
  const always = ["agent", "patroni", "pgherd"] as const;
  return registersService(cluster) ? [...always, "dns"] : always;
}

/** Consul's name for a token and for the policy that says what it may. */
function nameOf(cluster: string, token: Token): string {
  return `pgherd-${cluster}-${token}`;
}

/** Who may do what in Consul, in its own rules; nothing where the DCS is another. */
export function planConsulAccess({ cluster }: Settings): DcsAccessPlan | undefined {
  if (!ownDcsOf(cluster, "consul")) return undefined;
  const keys = `key_prefix "service/${cluster.name}/" {\n  policy = "write"\n}\n`;
  const agents = hostsOf(consul, cluster);
  const members = cluster.members.map(({ host }) => host);
  const tokens = tokensOf(cluster);
  const each = (kind: string, names: readonly string[]) =>
    names.map((name) => `${kind} "${name}" {\n  policy = "write"\n}\n`).join("");
  const rules: { readonly [token in Token]: string } = {
    // An agent tells of its own node, and hears of the others.
    agent: `${each("node", agents)}${each("agent", agents)}node_prefix "" {\n  policy = "read"\n}\nservice_prefix "" {\n  policy = "read"\n}\n`,
    // A session belongs to the node whose agent was asked for it. Its service is its own to take back, too, where it was
    // registered before; Patroni calls it as the cluster, whose name is a label of DNS already.
    patroni: `${keys}${each("session", members)}${each("service", [cluster.name])}`,
    // What the DNS tells, which asks nobody for a token.
    dns: `service "${cluster.name}" {\n  policy = "read"\n}\n${members.map((host) => `node "${host}" {\n  policy = "read"\n}\n`).join("")}`,
    // Who votes is an operator's to know.
    pgherd: `${keys}operator = "read"\n`,
  };
  return {
    rights: Object.fromEntries(tokens.map((token) => [nameOf(cluster.name, token), rules[token]])),
    tokens: {
      ...Object.fromEntries(tokens.map((token) => [nameOf(cluster.name, token), secret(token)])),
      [MANAGEMENT]: secret(MANAGEMENT),
    },
    agents,
  };
}

/** Consul on each host with an agent of it, servers first; none where the DCS is another. */
export function planConsulServices(settings: Settings): ServicePlan[] {
  const { hosts, cluster } = settings;
  const dcs = ownDcsOf(cluster, "consul");
  if (!dcs) return [];
  const members = urlsOf(settings, dcs.members, dcs.clientPort);
  const peerUrls = urlsOf(settings, dcs.members, dcs.serverPort);
  const gossip = (host: string) => endpoint(addressOf(hosts, host), dcs.gossipPort);
  const dataDirectory = dcsDirectory(cluster, "consul");
  return hostsOf(consul, cluster).map((host) => {
    const server = dcs.members.includes(host);
    return {
      host,
      daemon: "consul",
      ...(server && {
        etcd: { ...namedKind("consul"), dataDirectory, members, peerUrl: peerUrls[host] ?? "" },
      }),
      directories: {
        [madeDirectory(cluster, "consul")]: { mode: "0700", owner: "consul", group: "consul" },
        "/etc/pgherd": { mode: "0755", owner: "root", group: "root" },
        [CONSUL_FOLDER]: { mode: "0755", owner: "root", group: "root" },
        "/var/lib/pgherd/consul": { mode: "0700", owner: "root", group: "root" },
      },
      secretFiles: secretFiles(cluster, server),
      files: {
        [AGENT_FILE]: {
          ...READ_BY_ALL,
          content: render("consul/agent.json", {
            ...{ host, server, dataDirectory, ports: dcs },
            dns: registersService(cluster) ? dcs.dnsPort : -1,
            dnsAddresses:
              registersService(cluster) && dcs.dnsFor === "clients"
                ? `127.0.0.1 ${addressOf(hosts, host)}`
                : null,
            expected: dcs.members.length,
            address: addressOf(hosts, host),
            // Not its own: having joined itself, it would look for nobody else.
            servers: dcs.members.filter((name) => name !== host).map(gossip),
          }),
        },
        [`/etc/systemd/system/${consul.unit}.d/pgherd.conf`]: {
          ...READ_BY_ALL,
          content: render("consul/unit.conf", { folder: CONSUL_FOLDER, agentFile: AGENT_FILE }),
        },
      },
    };
  });
}

const READ_BY_ALL = { mode: "0644", owner: "root", group: "root" };
const READ_BY_ROOT = { mode: "0600", owner: "root", group: "root" };

function secret(name: string): SecretName {
  return { role: "consul", name: `consul-${name}` };
}

function secretFiles(cluster: ClusterSettings, server: boolean): SecretFiles {
  const header = (name: string): SecretFile => ({
    ...READ_BY_ROOT,
    template: "consul/header",
    values: {},
    secrets: { token: secret(name) },
  });
  const own: SecretFiles = {
    [AGENT_SECRETS_FILE]: {
      ...{ mode: "0640", owner: "root", group: "consul" },
      template: "consul/secrets.json",
      values: { server, dns: registersService(cluster) },
      secrets: {
        gossip: secret("gossip"),
        agent: secret("agent"),
        ...(server && { management: secret("management") }),
        ...(registersService(cluster) && { dns: secret("dns") }),
      },
    },
    [TOKEN_FILE]: header("pgherd"),
  };
  if (!server) return own;
  return {
    ...own,
    [MANAGEMENT_FILE]: header("management"),
    ...Object.fromEntries(
      tokensOf(cluster).flatMap((token): [string, SecretFile][] => {
        const name = nameOf(cluster.name, token);
        const files = tokenFiles(name);
        const body: SecretFile = {
          ...READ_BY_ROOT,
          template: "consul/token.json",
          values: { name },
          secrets: { token: secret(token) },
        };
        return [
          [files.body, body],
          [files.header, header(token)],
        ];
      }),
    ),
  };
}
