import type { Probe } from "../host/host";
import { quote, words } from "../host/shell";

/** A command that fails only where dpkg cannot tell. */
function dpkgQuery(format: string, packages: readonly string[]): string {
  // It ends with 1, and a message, when it does not know one of them; the others it has printed (dpkg-query(1)).
  return `{ dpkg-query -W -f ${quote(format)} ${words(packages)} 2>/dev/null || [ $? = 1 ]; }`;
}

/** Installed versions by package, e.g. `{ "etcd-server": "3.5.16-4" }`. What is not installed is left out. */
export function packagesProbe(packages: readonly string[]): Probe<{ [name: string]: string }> {
  return {
    script: dpkgQuery("${Package} ${db:Status-Status} ${Version}\\n", packages),
    parse(output) {
      const installed: { [name: string]: string } = {};
      for (const line of output.split("\n")) {
        const [name, status, version] = line.split(" ");
        if (name && version && status === "installed") installed[name] = version;
      }
      return installed;
    },
  };
}

/**
 * Versions that could be installed of packages that are not, by package. What the package sources do not have is left
 * out, and what is installed: reading the sources takes longer than all else that is asked of a host.
 */
export function candidatesProbe(packages: readonly string[]): Probe<{ [name: string]: string }> {
  return {
    script: `known=$(${dpkgQuery("${Package} ${db:Status-Status}\\n", packages)})
installed=$(printf '%s\\n' "$known" | sed -n 's/ installed$//p')
# 1: none is missing.
missing=$(printf '%s\\n' ${words(packages)} | grep -vxF "\${installed:-none}") || [ $? = 1 ]
[ -z "$missing" ] || apt-cache policy $missing`,
    parse(output) {
      const candidates: { [name: string]: string } = {};
      let name = "";
      for (const line of output.split("\n")) {
        name = /^([^\s:]+):$/.exec(line)?.[1] ?? name;
        const version = /^ {2}Candidate: (.+)$/.exec(line)?.[1];
        if (version && version !== "(none)") candidates[name] = version;
      }
      return candidates;
    },
  };
}

/** Which packages have an older version than the one given: `{ haproxy: "3.0.11-1" }`. Absent ones are not told. */
export function olderProbe(versions: { readonly [name: string]: string }): Probe<string[]> {
  return {
    script: Object.entries(versions)
      .map(
        ([name, version]) =>
          `there=$(${dpkgQuery("${Version}", [name])})
if [ -n "$there" ] && dpkg --compare-versions "$there" lt ${quote(version)}; then echo ${quote(name)}; fi`,
      )
      .concat(":")
      .join("\n"),
    parse: (output) => output.split("\n").filter((line) => line !== ""),
  };
}

/** Says which services a package may start or restart; there is one for the whole host. */
export const POLICY = "/usr/sbin/policy-rc.d";

/** Somebody who holds one of the locks of dpkg or apt. */
export interface LockHolder {
  readonly lock: string;
  readonly pid: number;
  /** Its command line. */
  readonly command: string;
}

/** What dpkg and apt lock, for as long as they change something (dpkg: lib/dpkg/dbmodify.c; apt: apt-pkg/init.cc). */
const LOCKS = [
  "/var/lib/dpkg/lock-frontend",
  "/var/lib/dpkg/lock",
  "/var/lib/apt/lists/lock",
  "/var/cache/apt/archives/lock",
];

/** Who keeps packages from being installed now; nobody mostly. */
export function lockHolderProbe(locks = LOCKS): Probe<LockHolder | undefined> {
  return {
    // Locks of fcntl(2): proc(5), "/proc/locks".
    script: `for lock in ${words(locks)}; do
  [ -e "$lock" ] || continue
  inode=$(stat -c %i "$lock")
  for pid in $(sed -n "s/^[0-9]*: POSIX *ADVISORY *WRITE *\\([0-9]*\\) [0-9a-f]*:[0-9a-f]*:$inode .*/\\1/p" /proc/locks); do
    for file in "/proc/$pid/fd"/*; do
      # A process that has ended meanwhile holds none.
      if [ "$(readlink "$file" 2>/dev/null)" = "$lock" ]; then
        # The same.
        printf '%s %s %s\\n' "$lock" "$pid" "$(tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | tr -cd '[:print:]' | head -c 200)"
        exit 0
      fi
    done
  done
done`,
    parse(output) {
      const [, lock, pid, command] = /^(\S+) (\d+) ?(.*)$/m.exec(output) ?? [];
      return lock === undefined
        ? undefined
        : { lock, pid: Number(pid), command: command?.trim() ?? "" };
    },
  };
}
