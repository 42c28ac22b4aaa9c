import { existsSync, readFileSync } from "node:fs";
import { ConnectError } from "../errors";
import type { Certification } from "./certificates";
import { parseKnownHosts } from "./known-hosts";
import type { SshConfig } from "./ssh-config";
import { expandPath, type Tokens } from "./tokens";

/** Types of keys that can be checked (ssh2 1.17, SUPPORTED_SERVER_HOST_KEY), and how their owners sign (RFC 8332). */
const SIGNATURES: { readonly [type: string]: readonly string[] } = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};

/** Signature algorithms for keys of these types. Asking for them keeps a host from showing another key that it has too. */
export function signatures(keys: readonly string[]): string[] {
  const types = new Set(keys.map((key) => key.split(" ")[0] ?? ""));
  return Object.entries(SIGNATURES).flatMap(([type, names]) => (types.has(type) ? names : []));
}

/** What proves to be a host. */
export interface Proof {
  /** The keys that it may show: `["ssh-ed25519 AAAA…"]`. */
  readonly hostKeys: readonly string[];
  /** Where no key is known: whose certificate may tell it. */
  readonly certification?: Certification;
}

/**
 * What a host proves itself by, of all files that OpenSSH would look into.
 * @param own the file that the stack names instead of the user's.
 * @throws ConnectError if there is nothing that can be checked.
 */
export function proofOf(tokens: Tokens, config: SshConfig, own: string | undefined): Proof {
  const { name, address, port } = tokens;
  const files = (own === undefined ? KEYWORDS : GLOBAL).flatMap(([keyword, usual]) =>
    paths(config.first(keyword) ?? usual, tokens),
  );
  if (own !== undefined) files.unshift(expandPath(own, tokens));
  const alias = config.first("hostkeyalias");
  const known = parseKnownHosts(files.map(readIfThere).join("\n"));
  const at = (of: Find, port: number) => [
    ...new Set(alias ? of(alias, 22) : [name, address].flatMap((host) => of(host, port))),
  ];
  // A host whose port nobody knows is looked for without it (OpenSSH: sshconnect.c, check_host_key).
  const named = (of: Find) => [at(of, port), at(of, 22)].find((some) => some.length > 0) ?? [];
  // What one of a host's names revokes is not taken under another.
  const revoked = revokedKeys(tokens, config);
  for (const key of [...at(known.revokedFor, port), ...at(known.revokedFor, 22)]) {
    revoked.add(key.split(" ")[1] ?? "");
  }
  const keys = named(known.keysFor).filter((key) => !revoked.has(key.split(" ")[1] ?? ""));
  if (signatures(keys).length > 0) return { hostKeys: keys };
  const authorities = named(known.authoritiesFor).filter(
    (key) => !revoked.has(key.split(" ")[1] ?? ""),
  );
  if (authorities.length > 0) {
    const names = alias ? [alias] : [name, address];
    return { hostKeys: [], certification: { authorities, names, revoked } };
  }
  const where = files.join(", ");
  if (keys.length > 0) {
    throw new ConnectError(
      name,
      `expected a host key of a type that can be checked (${Object.keys(SIGNATURES).join(", ")}), found only ` +
        `${keys.map((key) => key.split(" ")[0]).join(", ")} in ${where}.`,
      `Add another key of the host: ssh-keyscan ${address}, compared with the host's console.`,
    );
  }
  throw new ConnectError(
    name,
    `expected a known host key for ${alias ?? address}, found none in pgherd:hosts.${name}.hostKey or ${where}.`,
    `Compare the output of \`ssh-keyscan ${address}\` with the host's console, then add it to one of them.`,
  );
}

type Find = (host: string, port: number) => string[];

const GLOBAL = [
  ["globalknownhostsfile", "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"],
] as const;
const KEYWORDS = [
  ["userknownhostsfile", "~/.ssh/known_hosts ~/.ssh/known_hosts2"],
  ...GLOBAL,
] as const;

/** Paths in one line: where they have blanks OpenSSH prints no quotes, so that only the files themselves can tell. */
function paths(line: string, tokens: Tokens): string[] {
  if (line === "none") return [];
  const words = line.split(" ").filter((word) => word !== "");
  const joined = words.flatMap((_, first) =>
    words.slice(first + 1).map((_, more) => words.slice(first, first + more + 2).join(" ")),
  );
  const expand = (path: string) => expandPath(path.replace(/^"(.*)"$/, "$1"), tokens);
  const whole = joined.map(expand).filter((path) => existsSync(path));
  return whole.length > 0
    ? [...new Set([...whole, ...words.map(expand).filter(existsSync)])]
    : words.map(expand);
}

/** Keys that are never accepted. @throws ConnectError if they stand in a form that only OpenSSH reads. */
function revokedKeys(tokens: Tokens, config: SshConfig): Set<string> {
  const file = config.first("revokedhostkeys");
  if (!file || file === "none") return new Set();
  const text = readFileSync(expandPath(file, tokens), "latin1");
  if (text.startsWith("SSHKRL")) {
    throw new ConnectError(
      tokens.name,
      `RevokedHostKeys names ${file}, a list in binary form, which cannot be followed.`,
      "Pin the host's key in pgherd:hosts (hostKey), or write the revoked keys as text, one a line.",
    );
  }
  return new Set(text.split("\n").map((line) => /(?:^|\s)(AAAA\S+)/.exec(line)?.[1] ?? ""));
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
