import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import type { HostSettings, SshSettings } from "../config/schema";
import { ConnectError } from "../errors";
import { proofOf, type Proof } from "./host-keys";
import type { Identities } from "./identities";
import { sshConfigFor, type SshConfig } from "./ssh-config";
import { expandCommand, expandPath, type Tokens } from "./tokens";

/** The hosts and how they are reached, as the stack says. */
export interface Inventory {
  readonly hosts: { readonly [name: string]: HostSettings };
  readonly ssh: SshSettings;
}

/** All that is needed to open a connection. */
export interface Target extends Proof {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly identities: Identities;
  /** The host to go through. */
  readonly jump?: Target;
  /** The command to go through, where there is no such host: the user's own, with this host's names in it. */
  readonly proxyCommand?: string;
  readonly sudo: boolean;
  readonly connectTimeoutSeconds: number;
  /** A connection of which nothing is heard for `count` times that many seconds is dead. */
  readonly keepalive: { readonly seconds: number; readonly count: number };
}

/** Where neither the stack nor the user's SSH configuration says how long: OpenSSH itself would wait for minutes. */
const CONNECT_SECONDS = 10;

/** A dead host is noticed after 15 seconds, unless the user's SSH configuration has a time of its own. */
export const KEEPALIVE = { seconds: 5, count: 3 };

/**
 * How to reach a host: the stack's settings first, then the user's SSH configuration, then OpenSSH's defaults.
 * @throws ConnectError if the inventory has no such host, nothing tells its key, or something cannot be followed.
 */
export async function resolveTarget({ hosts, ssh }: Inventory, name: string): Promise<Target> {
  const host = Object.hasOwn(hosts, name) ? hosts[name] : undefined;
  if (!host) {
    throw new ConnectError(name, "no such host in pgherd:hosts.", "Add it, or mend the name.");
  }
  const wanted = host.user ?? ssh.user;
  const config = await sshConfigFor(name, [name, host.address], wanted);
  const tokens = tokensOf(name, host.address, host.port ?? ssh.port, wanted, config);
  const own = ssh.identityFile;
  return {
    ...common(tokens, config, ssh),
    ...(host.hostKey ? { hostKeys: [host.hostKey] } : proofOf(tokens, config, ssh.knownHosts)),
    // A key that the stack names is the one that is meant.
    identities:
      own === undefined
        ? identitiesOf(tokens, config)
        : { ...identitiesOf(tokens, config), files: [expandHome(own)], only: true },
    ...(await wayTo(tokens, config, ssh, host.proxyJump ?? ssh.proxyJump, [])),
    sudo: ssh.sudo,
  };
}

/** What leads to a host, of `ProxyJump` or `ProxyCommand`. */
async function wayTo(
  tokens: Tokens,
  config: SshConfig,
  ssh: SshSettings,
  own: string | undefined,
  behind: readonly string[],
): Promise<Pick<Target, "jump" | "proxyCommand">> {
  const jump = own ?? config.first("proxyjump");
  if (jump && jump !== "none") {
    let way: Pick<Target, "jump" | "proxyCommand"> = {};
    for (const one of jump.split(",")) {
      way = { jump: await jumpHost(tokens.name, one.trim(), ssh, way.jump, behind) };
    }
    return way;
  }
  const command = config.first("proxycommand");
  if (own !== undefined || !command || command === "none") return {};
  if (config.first("proxyusefdpass") === "yes") {
    throw new ConnectError(
      tokens.name,
      "ProxyUseFdpass of the SSH configuration cannot be followed.",
      "Use a ProxyCommand that speaks over its standard input and output, or set pgherd:ssh.proxyJump.",
    );
  }
  return { proxyCommand: expandCommand(command, tokens) };
}

/**
 * @param before the host that leads to it, of a list; else its own configuration says.
 * @param behind the jump hosts that it leads to, which must not lead to it.
 */
async function jumpHost(
  name: string,
  spec: string,
  ssh: SshSettings,
  before: Target | undefined,
  behind: readonly string[],
): Promise<Target> {
  const match = /^(?:ssh:\/\/)?(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?\/?$/.exec(spec);
  const [, user, bracketed, plain, port] = match ?? [];
  const alias = bracketed ?? plain ?? spec;
  if (behind.includes(alias)) {
    throw new ConnectError(
      name,
      `the SSH configuration leads through ${[...behind, alias].join(" through ")}, which never ends.`,
      "Mend ProxyJump there.",
    );
  }
  const config = await sshConfigFor(name, [alias], user);
  const address = config.first("hostname") ?? alias;
  const tokens = tokensOf(alias, address, port ? Number(port) : undefined, user, config);
  const identities = identitiesOf(tokens, config);
  const own = ssh.identityFile === undefined ? [] : [expandHome(ssh.identityFile)];
  return {
    ...common(tokens, config, ssh),
    ...proofOf(tokens, config, ssh.knownHosts),
    identities: { ...identities, files: [...own, ...identities.files] },
    ...(before
      ? { jump: before }
      : await wayTo(tokens, config, ssh, undefined, [...behind, alias])),
    sudo: false,
  };
}

function tokensOf(
  name: string,
  address: string,
  port: number | undefined,
  user: string | undefined,
  config: SshConfig,
): Tokens {
  return {
    name,
    address,
    port: port ?? Number(config.first("port") ?? 22),
    user: user ?? config.first("user") ?? userInfo().username,
  };
}

function common(tokens: Tokens, config: SshConfig, ssh: SshSettings) {
  const interval = Number(config.first("serveraliveinterval") ?? 0);
  const count = Number(config.first("serveralivecountmax") ?? KEEPALIVE.count);
  return {
    ...tokens,
    connectTimeoutSeconds: connectSeconds(ssh, config),
    keepalive: interval > 0 ? { seconds: interval, count } : KEEPALIVE,
  };
}

/** Seconds that a connection may take: as the stack says, else the user's SSH configuration. */
export function connectSeconds(ssh: SshSettings, config: SshConfig): number {
  return ssh.connectTimeout ?? secondsOf(config.first("connecttimeout")) ?? CONNECT_SECONDS;
}

/** A time as ssh_config has it (sshd_config(5), "TIME FORMATS"): `40`, `1m30s`; nothing for `none` and what is no time. */
function secondsOf(time: string | undefined): number | undefined {
  if (time === undefined || !/^(\d+[smhdw]?)+$/i.test(time)) return undefined;
  const units: { readonly [unit: string]: number } = { m: 60, h: 3600, d: 86400, w: 7 * 86400 };
  const parts = [...time.toLowerCase().matchAll(/(\d+)([smhdw]?)/g)];
  const seconds = parts.reduce(
    (sum, [, count, unit = ""]) => sum + Number(count) * (units[unit] ?? 1),
    0,
  );
  return seconds > 0 ? seconds : undefined;
}

/** The keys that OpenSSH would offer, and the certificates. */
function identitiesOf(tokens: Tokens, config: SshConfig): Identities {
  const named = (keyword: string) =>
    config
      .all(keyword)
      .filter((file) => file !== "none")
      .map((file) => expandPath(file, tokens));
  return {
    files: named("identityfile"),
    certificates: named("certificatefile"),
    agent: agentOf(tokens, config.first("identityagent")),
    only: config.first("identitiesonly") === "yes",
  };
}

function agentOf(tokens: Tokens, wanted: string | undefined): string | undefined {
  if (wanted === "none") return undefined;
  if (wanted === undefined || wanted === "SSH_AUTH_SOCK") return process.env.SSH_AUTH_SOCK;
  return wanted.startsWith("$") && !wanted.startsWith("${")
    ? process.env[wanted.slice(1)]
    : expandPath(wanted, tokens);
}

function expandHome(path: string): string {
  return path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
}
