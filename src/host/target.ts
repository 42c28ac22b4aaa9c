import { readFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import SSHConfig from "ssh-config";
import type { HostSettings, SshSettings } from "../config/schema";
import { ConnectError } from "../errors";
import { parseKnownHosts, type KnownHosts } from "./known-hosts";

/** The hosts and how they are reached, as the stack says. */
export interface Inventory {
  readonly hosts: { readonly [name: string]: HostSettings };
  readonly ssh: SshSettings;
}

/** All that is needed to open a connection. */
export interface Target {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Path of a private key; without it the agent is asked. */
  readonly identityFile?: string;
  /** Socket of the SSH agent. */
  readonly agent?: string;
  /** The keys that the host may show: `["ssh-ed25519 AAAA…"]`. */
  readonly hostKeys: readonly string[];
  readonly jump?: Target;
  readonly sudo: boolean;
  readonly connectTimeoutSeconds: number;
}

/**
 * How to reach a host: the stack's settings first, then the user's SSH configuration, then OpenSSH's defaults.
 * The configuration file is `~/.ssh/config`, or the one that `PGHERD_SSH_CONFIG` names.
 * @throws ConnectError if the inventory has no such host or nothing tells its key.
 */
export function resolveTarget(inventory: Inventory, name: string): Target {
  const host = inventory.hosts[name];
  if (!host) {
    throw new ConnectError(name, "no such host in pgherd:hosts.", "Add it, or mend the name.");
  }
  const { ssh } = inventory;
  const file = userConfig([name, host.address]);
  const jump = host.proxyJump ?? ssh.proxyJump ?? file("ProxyJump");
  return target(name, host.address, file, {
    ssh,
    port: host.port ?? ssh.port,
    user: host.user ?? ssh.user,
    pinned: host.hostKey,
    jump: jump && jump !== "none" ? resolveJump(jump, ssh) : undefined,
    sudo: ssh.sudo,
  });
}

function resolveJump(spec: string, ssh: SshSettings): Target {
  const match = /^(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(spec);
  const [, user, bracketed, plain, port] = match ?? [];
  const alias = bracketed ?? plain ?? spec;
  const file = userConfig([alias]);
  return target(alias, file("HostName") ?? alias, file, {
    ssh,
    port: port ? Number(port) : undefined,
    user,
    sudo: false,
  });
}

interface Choices {
  ssh: SshSettings;
  port?: number;
  user?: string;
  pinned?: string;
  jump?: Target;
  sudo: boolean;
}

function target(name: string, address: string, file: Lookup, choices: Choices): Target {
  const { ssh, pinned } = choices;
  const port = choices.port ?? Number(file("Port") ?? 22);
  const knownHostsFiles = expandHome(
    ssh.knownHosts ?? file("UserKnownHostsFile") ?? "~/.ssh/known_hosts",
  );
  const hostKeys = pinned ? [pinned] : knownKeys(knownHostsFiles, [name, address], port);
  if (hostKeys.length === 0) {
    throw new ConnectError(
      name,
      `expected a known host key for ${address}, found none in pgherd:hosts.${name}.hostKey or ${knownHostsFiles}.`,
      `Compare the output of \`ssh-keyscan ${address}\` with the host's console, then add it to one of the two.`,
    );
  }
  const identity = ssh.identityFile ?? file("IdentityFile");
  return {
    name,
    address,
    port,
    user: choices.user ?? file("User") ?? userInfo().username,
    identityFile: identity ? expandHome(identity) : undefined,
    agent: process.env.SSH_AUTH_SOCK,
    hostKeys,
    jump: choices.jump,
    sudo: choices.sudo,
    connectTimeoutSeconds: ssh.connectTimeout,
  };
}

/** The value of a keyword for this host: `file("ProxyJump")`. */
type Lookup = (keyword: string) => string | undefined;

function userConfig(aliases: string[]): Lookup {
  const path = process.env.PGHERD_SSH_CONFIG ?? join(homedir(), ".ssh/config");
  const config = SSHConfig.parse(readIfThere(path));
  const found = aliases.map((alias) => config.compute(alias, { ignoreCase: true }));
  return (keyword) => {
    for (const section of found) {
      const key = Object.keys(section).find((one) => one.toLowerCase() === keyword.toLowerCase());
      const value = key && section[key];
      if (value) return Array.isArray(value) ? value[0] : value;
    }
    return undefined;
  };
}

const knownHostsCache = new Map<string, KnownHosts>();

function knownKeys(path: string, names: string[], port: number): string[] {
  let known = knownHostsCache.get(path);
  if (!known) {
    known = parseKnownHosts(readIfThere(path));
    knownHostsCache.set(path, known);
  }
  return [...new Set(names.flatMap((name) => known.keysFor(name, port)))];
}

function expandHome(path: string): string {
  const unquoted = path.replace(/^"(.*)"$/, "$1");
  return unquoted.startsWith("~/") ? join(homedir(), unquoted.slice(2)) : unquoted;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
