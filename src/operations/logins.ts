import { loginFiles, type UserLogins } from "../facts/logins";
import { asUser, quote } from "../host/shell";
import type { LinkInput } from "../resources/inputs/logins";
import { makeDirectories, writeFiles } from "./files";

/** Makes a user's key, where there is none; the private half never leaves the host. */
export function makeKey(user: string): string {
  const { folder, key } = loginFiles(user);
  const make = `[ -s ${quote(key)} ] && grep -Eqs '^ssh-ed25519 [A-Za-z0-9+/]{68}( |$)' ${quote(`${key}.pub`)} || {
  rm -f ${quote(key)} ${quote(`${key}.pub`)}
  ssh-keygen -q -t ed25519 -N '' -C pgherd -f ${quote(key)}
}`;
  return [
    makeDirectories({ [folder]: { mode: "0700", owner: user, group: user } }),
    asUser(user, make),
  ].join("\n");
}

/** A user's settings for logging in: every host by its name and its address, and none but known ones. */
export function clientConfig(user: string, links: readonly LinkInput[]): string {
  const { key, knownHosts } = loginFiles(user);
  const hosts = links.map(
    ({ to, toUser, address, port }) =>
      `Host ${to} ${address}\n  HostName ${address}\n  Port ${port}\n  User ${toUser}\n  HostKeyAlias ${to}\n`,
  );
  return [
    "# Written by pgherd.",
    ...new Set(hosts),
    "Host *",
    `  IdentityFile ${key}`,
    "  IdentitiesOnly yes",
    `  UserKnownHostsFile ${knownHosts}`,
    "  GlobalKnownHostsFile /dev/null",
    "  StrictHostKeyChecking yes",
    "  BatchMode yes",
    "  ConnectTimeout 10",
    "  ServerAliveInterval 10",
    "  ServerAliveCountMax 3",
    "",
  ].join("\n");
}

/** The keys of the hosts that a user logs in to. */
export function knownHosts(
  links: readonly LinkInput[],
  keys: { readonly [host: string]: readonly string[] },
): string {
  const lines = links.flatMap(({ to }) => (keys[to] ?? []).map((key) => `${to} ${key}\n`));
  return [...new Set(lines)].join("");
}

/** The line of authorized_keys that lets one user of one host in for one command. */
export function guestLine(
  cluster: string,
  { from, fromAddress, fromUser, command }: LinkInput,
  key: string,
): string {
  return `restrict,from="${fromAddress}",command="${command}" ${key} ${mark(cluster)} ${fromUser}@${from}`;
}

/** By which a cluster's lines are known among others'. */
function mark(cluster: string): string {
  return `pgherd:${cluster}`;
}

/** Lines of this cluster among those of a user's authorized_keys. */
export function guestLines(cluster: string, lines: readonly string[]): string[] {
  return lines.filter((line) => line.includes(` ${mark(cluster)} `));
}

/** Lets in exactly these guests of the cluster; everybody else's lines stay. */
export function setGuests(
  user: string,
  cluster: string,
  { home, authorized }: Pick<UserLogins, "home" | "authorized">,
  guests: readonly string[],
): string {
  const own = guestLines(cluster, authorized);
  const lines = [...authorized.filter((line) => !own.includes(line)), ...guests];
  const owned = { owner: user, group: user };
  return [
    makeDirectories({ [`${home}/.ssh`]: { mode: "0700", ...owned } }),
    writeFiles({
      [`${home}/.ssh/authorized_keys`]: {
        content: lines.map((line) => `${line}\n`).join(""),
        mode: "0600",
        ...owned,
      },
    }),
  ].join("\n");
}

/** Replaces a user's settings and known hosts. */
export function writeClient(user: string, config: string, known: string): string {
  const files = loginFiles(user);
  const owned = { mode: "0600", owner: user, group: user };
  return writeFiles({
    [files.config]: { ...owned, content: config },
    [files.knownHosts]: { ...owned, content: known },
  });
}
