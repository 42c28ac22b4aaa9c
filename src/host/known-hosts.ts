import { createHmac } from "node:crypto";

/** The keys of hosts that the user has trusted before. */
interface KnownHosts {
  /** Keys of a host: `["ssh-ed25519 AAAA…"]`; none if it is not known or its key was revoked. */
  keysFor(host: string, port: number): string[];
  /** Keys of the authorities whose certificates a host may show instead. */
  authoritiesFor(host: string, port: number): string[];
  /** Keys that a host must not show. */
  revokedFor(host: string, port: number): string[];
}

/**
 * Reads a known_hosts file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): plain and hashed names, ports, negation,
 * wildcards, `@revoked` and `@cert-authority`.
 */
export function parseKnownHosts(text: string): KnownHosts {
  const entries = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map(parseLine);
  const marked = (marker: string, host: string, port: number): string[] => {
    const wanted = port === 22 ? host : `[${host}]:${port}`;
    return entries.filter((e) => e.marker === marker && e.matches(wanted)).map((e) => e.key);
  };
  const trusted = (marker: string, host: string, port: number): string[] => {
    const revoked = new Set(marked("@revoked", host, port));
    return marked(marker, host, port).filter((key) => !revoked.has(key));
  };
  return {
    keysFor: (host, port) => trusted("", host, port),
    authoritiesFor: (host, port) => trusted("@cert-authority", host, port),
    revokedFor: (host, port) => marked("@revoked", host, port),
  };
}

function parseLine(line: string) {
  const fields = line.split(/\s+/);
  const marker = fields[0]?.startsWith("@") ? (fields.shift() ?? "") : "";
  const [names = "", type = "", key = ""] = fields;
  return { marker, key: `${type} ${key}`, matches: matcher(names) };
}

function matcher(names: string): (host: string) => boolean {
  const hashed = /^\|1\|([^|]+)\|(.+)$/.exec(names);
  if (hashed) {
    const [, salt = "", digest] = hashed;
    return (host) =>
      createHmac("sha1", Buffer.from(salt, "base64")).update(host).digest("base64") === digest;
  }
  const patterns = names.split(",");
  const denied = patterns.filter((p) => p.startsWith("!")).map((p) => p.slice(1));
  const allowed = patterns.filter((p) => !p.startsWith("!"));
  return (host) => allowed.some((p) => matches(p, host)) && !denied.some((p) => matches(p, host));
}

/** Whether a host's name is one of those that a pattern is for: `*.example.org`, `db?` (ssh_config(5), PATTERNS). */
export function matches(pattern: string, name: string): boolean {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "i").test(name);
}
