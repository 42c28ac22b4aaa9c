import type { Probe } from "../host/host";
import { quote, words } from "../host/shell";

/** What a user of a host has for logging in to other hosts, and who may log in as that user. */
export interface UserLogins {
  /** Public key, `ssh-ed25519 AAAA…`; empty where there is none yet. */
  readonly key: string;
  readonly config: string;
  readonly knownHosts: string;
  /** Lines of authorized_keys. */
  readonly authorized: readonly string[];
  /** The user's home directory. */
  readonly home: string;
}

/** Where a user's own files for such logins are. */
export function loginFiles(user: string): { key: string; config: string; knownHosts: string } {
  const folder = `/var/lib/pgherd/ssh-${user}`;
  return { key: `${folder}/key`, config: `${folder}/config`, knownHosts: `${folder}/known_hosts` };
}

/** A user's keys, settings and guests. An unknown user has none. */
export function userLoginsProbe(user: string): Probe<UserLogins> {
  const { key, config, knownHosts } = loginFiles(user);
  return {
    script: `home=$(getent passwd ${quote(user)} | cut -d: -f6)
printf '%s' "$home" | base64 -w0; echo
for file in ${words([`${key}.pub`, config, knownHosts])} "$home/.ssh/authorized_keys"; do base64 -w0 "$file" 2>/dev/null || :; echo; done`,
    parse(output) {
      const [home = "", public_ = "", settings = "", known = "", guests = ""] = output
        .split("\n")
        .map((line) => Buffer.from(line, "base64").toString());
      return {
        home,
        key: public_.trim().split(" ").slice(0, 2).join(" "),
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
        .filter((line) => line !== "")
        .map((line) => line.split(" ").slice(0, 2).join(" "))
        .sort(),
  };
}
