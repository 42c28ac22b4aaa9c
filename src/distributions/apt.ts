import { dirname } from "node:path";
import type { Probe } from "../host/host";
import { quote, words } from "../host/shell";
import type { LockHolder, PackageManager } from "./package-manager";

/** A command that fails only where dpkg cannot tell. */
function dpkgQuery(format: string, packages: readonly string[]): string {
  // It ends with 1, and a message, when it does not know one of them; the others it has printed (dpkg-query(1)).
  return `{ dpkg-query -W -f ${quote(format)} ${words(packages)} 2>/dev/null || [ $? = 1 ]; }`;
}

function installedProbe(packages: readonly string[]): Probe<{ [name: string]: string }> {
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

function candidatesProbe(packages: readonly string[]): Probe<{ [name: string]: string }> {
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

function olderProbe(versions: { readonly [name: string]: string }): Probe<string[]> {
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

/** What dpkg and apt lock, for as long as they change something (dpkg: lib/dpkg/dbmodify.c; apt: apt-pkg/init.cc). */
const LOCKS = [
  "/var/lib/dpkg/lock-frontend",
  "/var/lib/dpkg/lock",
  "/var/lib/apt/lists/lock",
  "/var/cache/apt/archives/lock",
];

function lockHolderProbe(locks: readonly string[] = LOCKS): Probe<LockHolder | undefined> {
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

/** As dpkg -S tells, which reads all lists for each name. */
function holdersOf(directories: readonly string[]): string {
  return `for at in ${words(directories)}; do
  at=$(realpath -m -- "$at")
  while [ -n "$at" ]; do printf '%s\\n' "$at"; at=\${at%/*}; done
done | (
  cd /var/lib/dpkg/info
  # Mostly there is none.
  grep -xFf - -- *.list /dev/null || [ $? = 1 ]
) | sed -n 's/^\\(.*\\)\\.list:\\(\\/.*\\)$/packaged \\1 \\2/p'`;
}

/** Names the process that installs packages now (templates/packages/policy-rc.d.sh.hbs); gone with the next start of the host. */
const INSTALLING = "/run/pgherd/installing";

/**
 * Installs packages in one transaction, without starting any of their services: those start with our configuration,
 * later. What keeps them from starting only counts while this script lives and the host is up, so that a run that is cut
 * off leaves nothing behind that matters (invoke-rc.d(8), deb-systemd-invoke(1p)).
 */
function install(packages: readonly string[]): string {
  return `
mkdir -p ${dirname(INSTALLING)}
echo $$ >${INSTALLING}
trap 'rm -f ${INSTALLING}' EXIT
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
dpkg --configure -a
apt-get -q -o DPkg::Lock::Timeout=300 update
apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold --no-install-recommends install -- ${words(packages)}`;
}

const POLICY = "/usr/sbin/policy-rc.d";

/** apt and dpkg, which Debian has, and all that is made of it. */
export const apt: PackageManager = {
  installedProbe,
  candidatesProbe,
  olderProbe,
  lockHolderProbe,
  // What dpkg --audit tells, but for packages that only lack checksums.
  unfinished: `dpkg-query -W -f '\${db:Status-Status} \${Package}\\n' | sed -n -E 's/^(half-[a-z]+|unpacked|triggers-[a-z]+) /unfinished /p'`,
  holdersOf,
  // No package may have it.
  holderOf: (file) => `dpkg -S ${file} 2>/dev/null | head -n 1 | cut -d: -f1`,
  install,
  policy: POLICY,
  removePolicy: `if grep -qs 'Written by pgherd' ${POLICY}; then rm -f ${POLICY}; fi`,
  byHand: {
    refresh: "apt-get update",
    sources: "/etc/apt/sources.list.d",
    finish: "dpkg --configure -a",
    mend: "apt-get -f install",
    install: (name) => `apt-get install ${name}`,
    purge: (name) => `apt-get purge ${name}`,
  },
};
