import { createHmac } from "node:crypto";

/** The keys of hosts that the user has trusted before. */
export interface KnownHosts {
  /** Keys of a host: `["ssh-ed25519 AAAA…"]`; none if it is not known or its key was revoked. */
  keysFor(host: string, port: number): string[];
}

/**
 * Reads a known_hosts file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): plain and hashed names, ports, negation,
 * wildcards, and `@revoked`. Certificate authorities are not supported and their lines are skipped.
 */
export function parseKnownHosts(text: string): KnownHosts {
  const entries = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map(parseLine);
  return {
    keysFor(host, port) {
      const wanted = port === 22 ? host : `[${host}]:${port}`;
      const matching = entries.filter((entry) => entry.matches(wanted));
      const revoked = new Set(matching.filter((e) => e.marker === "@revoked").map((e) => e.key));
      return matching.filter((e) => e.marker === "" && !revoked.has(e.key)).map((e) => e.key);
    },
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
  const wildcard = (pattern: string) =>
    new RegExp(
      `^${pattern
        .replace(/[.+^${}()|[\]\\]/g, "\\$&")
        .replaceAll("*", ".*")
        .replaceAll("?", ".")}$`,
      "i",
    );
  const denied = patterns.filter((p) => p.startsWith("!")).map((p) => wildcard(p.slice(1)));
  const allowed = patterns.filter((p) => !p.startsWith("!")).map(wildcard);
  return (host) => allowed.some((p) => p.test(host)) && !denied.some((p) => p.test(host));
}
