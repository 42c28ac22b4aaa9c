import type { Probe } from "../host/host";
import { asUser, quote, words } from "../host/shell";

/** What a user of a host has for logging in to other hosts, and who may log in as that user. */
export interface UserLogins {
  /** Public key, `ssh-ed25519 AAAA…`; empty where there is none yet, or something else. */
  readonly key: string;
  readonly config: string;
  readonly knownHosts: string;
  /** Lines of authorized_keys. */
  readonly authorized: readonly string[];
  /** The user's home directory. */
  readonly home: string;
}

/** Where a user's own files for such logins are. */
export function loginFiles(user: string): {
  readonly folder: string;
  readonly key: string;
  readonly config: string;
  readonly knownHosts: string;
} {
  const folder = `/var/lib/pgherd/ssh-${user}`;
  return {
    folder,
    key: `${folder}/key`,
    config: `${folder}/config`,
    knownHosts: `${folder}/known_hosts`,
  };
}

/** The public key that pgherd makes for a user, as ssh-keygen writes it: what else a host answers opens no other host. */
const USER_KEY = /^ssh-ed25519 [A-Za-z0-9+/]{68}$/;

/** A host's own public key (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). */
const HOST_KEY = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,2}$/;

/** Type and key of a line that may hold a comment too. */
function typeAndKey(line: string): string {
  return line.split(" ").slice(0, 2).join(" ");
}

/** A user's keys, settings and guests. An unknown user has none. */
export function userLoginsProbe(user: string): Probe<UserLogins> {
  const { key, config, knownHosts } = loginFiles(user);
  return {
    script: `home=$(getent passwd ${quote(user)} | cut -d: -f6)
printf '%s' "$home" | base64 -w0; echo
[ -n "$home" ] || exit 0
export home
${asUser(
  user,
  `for file in ${words([`${key}.pub`, config, knownHosts])} "$home/.ssh/authorized_keys"; do [ ! -f "$file" ] || base64 -w0 "$file"; echo; done`,
)}`,
    parse(output) {
      const [home = "", public_ = "", settings = "", known = "", guests = ""] = output
        .split("\n")
        .map((line) => Buffer.from(line, "base64").toString());
      const own = typeAndKey(public_.trim());
      return {
        home,
        key: USER_KEY.test(own) ? own : "",
        config: settings,
        knownHosts: known,
        authorized: guests.split("\n").filter((line) => line !== ""),
      };
    },
  };
}

/** A host's own public keys, by which others know it: `["ssh-ed25519 AAAA…"]`. */
export function hostKeysProbe(): Probe<string[]> {
  return {
    script: "cat /etc/ssh/ssh_host_*_key.pub",
    parse: (output) =>
      output
        .split("\n")
        .map(typeAndKey)
        .filter((key) => HOST_KEY.test(key))
        .sort(),
  };
}
