import { ANY_HOST, forMajor, packageManager } from "../distributions/distributions";
import type { Probe } from "../host/host";
import { asOwner } from "../host/ownership";
import { quote, words } from "../host/shell";
import { ROLES } from "../roles/roles";

/** Names the cluster that a host belongs to, and outlives `pulumi destroy`, as the data does. */
export const CLUSTER_RECORD = "/var/lib/pgherd/cluster";

/** What a host is, as far as it matters before the first change. */
export interface HostFacts {
  /** e.g. `debian 13`; `debian forky` of a release that has no number yet */
  readonly system: string;
  /** e.g. `x86_64` */
  readonly architecture: string;
  /** Name of process 1: `systemd`. */
  readonly init: string;
  /** The kind of container, e.g. `systemd-nspawn`; `none` for a machine of its own. */
  readonly container: string;
  /** The cluster that pgherd has made the host a part of; empty for none. */
  readonly cluster: string;
  /** /etc/machine-id, which no two hosts may share. */
  readonly machineId: string;
  /** Bytes that processes may use: the machine's memory, or the container's limit. */
  readonly memory: number;
  /** Processor cores. */
  readonly cores: number;
  /** TCP ports that something listens on. */
  readonly listening: readonly number[];
  /** Names of the network interfaces. */
  readonly interfaces: readonly string[];
  /** IP addresses, but for those of the loopback and of single links. */
  readonly addresses: readonly string[];
  /** Addresses of the network interfaces: `52:54:00:12:34:56`. */
  readonly macs: readonly string[];
  /** Virtual addresses that somebody answers for, this host included; with the interface's address if it is seen. */
  readonly answering: readonly { readonly address: string; readonly mac: string }[];
  /** The file system of the data directory, or of the nearest directory above it that exists. */
  readonly disk: Disk;
  /** Where the directories of the question really are, links followed; empty for what nobody asked for. */
  readonly resolved: { readonly [directory in "data" | "dcs" | "backup"]: string };
  /** Which of those directories, and of those that they lie in, packages have brought, and which package each. */
  readonly packaged: readonly { readonly path: string; readonly name: string }[];
  /** Bytes that are free where backups are kept; 0 where nobody asked. */
  readonly backupFree: number;
  /** Whose the directory for backups is, if it is there and holds anything; empty if not. */
  readonly backupOwner: string;
  /** Which of `/`, `/tmp` and the data directory cannot be written to. */
  readonly readOnly: readonly string[];
  /** PostgreSQL's data directory. */
  readonly data: Data;
  /** Whether the DCS's data directory holds anything. */
  readonly dcsFound: boolean;
  /** Whether something keeps the clock right. */
  readonly synchronised: boolean;
  /** Whether SELinux forbids what its policy does not know. */
  readonly selinux: boolean;
  /** Whether there is a watchdog device. */
  readonly watchdog: boolean;
  /** Packages whose installation was broken off. */
  readonly unfinished: readonly string[];
  /** User ids of `postgres` and of the DCS's user, where there are such users. */
  readonly users: { readonly [name: string]: number };
  /** Whether systemd-logind removes the shared memory of a user who has logged out. */
  readonly removeIpc: boolean;
  /** Locales as `locale -a` spells them: `de_DE.utf8`. */
  readonly locales: readonly string[];
  /** Configuration that others have written for daemons that are there already. */
  readonly foreign: readonly string[];
}

/** A file system. */
interface Disk {
  /** As the kernel calls it: `ext4`. */
  readonly type: string;
  /** Bytes. */
  readonly size: number;
  /** Bytes that are free. */
  readonly free: number;
  /** 0 where the file system has no fixed number of them. */
  readonly inodes: number;
  readonly freeInodes: number;
}

/** A directory of PostgreSQL. */
interface Data {
  /** Whether it holds anything. */
  readonly found: boolean;
  /** Major version: `17`; empty where there is no database. */
  readonly version: string;
  /** Of the database, the same on all members; empty where there is none. */
  readonly systemIdentifier: string;
}

/** Which parts of a host are looked at. */
interface HostQuestion {
  readonly dataDirectory?: string | null;
  /** Of the DCS, and whose it is. */
  readonly dcs?: { readonly directory: string; readonly user: string };
  readonly backupDirectory?: string | null;
  /** Addresses that nobody should answer for yet. */
  readonly vips?: readonly string[];
}

export function hostProbe(question: HostQuestion = {}): Probe<HostFacts> {
  const { dataDirectory, dcs, backupDirectory, vips = [] } = question;
  return {
    script: [
      // A release that is still being made has no number.
      `. /etc/os-release; echo "system $ID \${VERSION_ID:-\${VERSION_CODENAME:-}}"`,
      `echo "architecture $(uname -m)"`,
      `echo "init $(cat /proc/1/comm)"`,
      // It fails where it says "none".
      `container=$(systemd-detect-virt --container) || [ "$container" = none ]; echo "container $container"`,
      `told() { if [ -e "$2" ]; then value=$(cat "$2"); echo "$1 $value"; fi; }`,
      `told cluster ${CLUSTER_RECORD}; told machine /etc/machine-id`,
      `sed -n 's/^MemTotal: *\\([0-9]*\\) kB/memory \\1/p' /proc/meminfo`,
      `told limit /sys/fs/cgroup/memory.max`,
      `echo "cores $(nproc)"`,
      LISTENING,
      INTERFACES,
      `for address in $(hostname -I); do echo "address $address"; done`,
      MOUNTED,
      ROOM,
      `mounted / /; mounted /tmp /tmp`,
      ...(dataDirectory ? [dataScript(dataDirectory)] : []),
      ...(dcs ? [asOwner(dcs.user, `${dcs.directory}/.`, heldScript("dcs", dcs.directory))] : []),
      ...(backupDirectory ? [backupScript(backupDirectory)] : []),
      ...Object.entries({ data: dataDirectory, dcs: dcs?.directory, backup: backupDirectory }).map(
        ([name, path]) => (path ? `echo "resolved-${name} $(realpath -m -- ${quote(path)})"` : ":"),
      ),
      packageManager.holdersOf(
        [dataDirectory, dcs?.directory, backupDirectory].filter((one) => one != null),
      ),
      CLOCK,
      `told selinux /sys/fs/selinux/enforce`,
      `[ ! -c /dev/watchdog ] || echo "watchdog yes"`,
      packageManager.unfinished,
      // A user who is not there is told by no line.
      `for user in postgres ${dcs?.user ?? ""}; do uid=$(id -u $user 2>/dev/null) && echo "user $user $uid"; done`,
      // Before systemd 239 there is no such question, and the default counts, which is the worse one.
      `echo "removeipc $(systemd-analyze cat-config systemd/logind.conf 2>/dev/null | sed -n 's/^RemoveIPC=//p' | tail -n 1)"`,
      // It warns where its own environment names a locale that is not there.
      `locale -a 2>/dev/null | sed 's/^/locale /'`,
      FOREIGN,
      ...(vips.length > 0 ? [vipScript(vips)] : []),
      ":",
    ].join("\n"),
    parse,
  };
}

/** A kernel without IPv6 has no second file. */
const LISTENING = `sed -n 's/^ *[0-9]*: [0-9A-F]*:\\([0-9A-F]*\\) [0-9A-F:]* 0A .*/listening \\1/p' /proc/net/tcp /proc/net/tcp6 2>/dev/null || :`;

const INTERFACES = `for interface in /sys/class/net/*; do
  echo "interface \${interface##*/}"
  # Some kinds have none.
  echo "mac $(cat "$interface/address" 2>/dev/null)"
done`;

/** Tells under the first name if what the second one lies on is mounted read-only. */
const MOUNTED = `mounted() {
  options=$(findmnt -no OPTIONS -T "$2") || { echo "$2: expected findmnt to tell how it is mounted, it did not" >&2; exit 1; }
  case ",$(printf '%s\\n' "$options" | tail -n 1)," in *,ro,*) echo "readonly $1" ;; esac
}`;

/** Tells under this name what room there is where $at lies. What hangs, as a file system on a network may, tells nothing. */
const ROOM = `room() {
  room=$(timeout 10 df -B1 --output="$2" "$at") || { echo "$at: expected df to tell its room within 10 seconds, it did not" >&2; exit 1; }
  echo "$1 $(printf '%s\\n' "$room" | tail -n 1)"
}`;

/** A container's clock is the machine's. The kernel's own flag is set by nearly all daemons that keep a clock right. */
const CLOCK = `if [ "$container" = none ]; then
  # Who is not there, or does not answer, keeps nothing right.
  if [ "$(timeout 5 timedatectl show -p NTPSynchronized --value 2>/dev/null)" = yes ] ||
    # The same.
    timeout 5 chronyc -n tracking 2>/dev/null | grep -q 'Leap status *: Normal' ||
    # The same.
    timeout 5 ntpq -c rv 2>/dev/null | grep -q leap_none
  then echo "synchronised yes"; fi
else echo "synchronised yes"; fi`;

/** Configurations that somebody else has written, for daemons that use them. */
const FOREIGN = [
  `foreign() { [ ! -f "$1" ] || grep -q 'Written by pgherd' "$1" || echo "foreign $1"; }`,
  ...ROLES.flatMap(({ elsewhere }) =>
    elsewhere
      ? `if ${elsewhere.inUse}; then for file in ${elsewhere.files}; do foreign "$file"; done; fi`
      : [],
  ),
].join("\n");

/** The file system and the database of a data directory, which need not exist yet. */
function dataScript(directory: string): string {
  // The version names a program that is about to be run: nothing but digits will do.
  const look = `${heldScript("data", directory)}
data=${quote(directory)}
version=
if [ -f "$data/PG_VERSION" ]; then version=$(cat "$data/PG_VERSION"); fi
case $version in
  '' | *[!0-9]*) ;;
  *)
    echo "version $version"
    # The program may not be there, nor a database that is whole.
    "${forMajor(ANY_HOST.paths.programs, "$version")}/pg_controldata" -D "$data" 2>/dev/null | sed -n 's/^Database system identifier: */identifier /p'
    ;;
esac`;
  return `${asOwner("postgres", `${directory}/.`, look)}
data=${quote(directory)}
at=$data
while [ ! -d "$at" ]; do at=\${at%/*}; at=\${at:-/}; done
room disk fstype,size,avail,itotal,iavail
mounted "$data" "$at"`;
}

/**
 * Tells under this name one thing that a directory holds; one that cannot be looked into holds something. What a new file
 * system has at its top is nobody's.
 */
function heldScript(key: string, directory: string): string {
  return `found=$(LC_ALL=C ls -A -I lost+found ${quote(directory)} 2>&1) || case $found in *'No such file or directory') found= ;; esac
echo "${key} $(printf '%s\\n' "$found" | head -n 1)"`;
}

/** The room for backups, where their directory is or would be. */
function backupScript(directory: string): string {
  return `at=${quote(directory)}
while [ ! -d "$at" ]; do at=\${at%/*}; at=\${at:-/}; done
room backupfree avail
mounted ${quote(directory)} "$at"
if [ -d ${quote(directory)} ]; then
  # What a new file system has at its top is nobody's.
  held=$(ls -A -I lost+found ${quote(directory)})
  [ -z "$held" ] || echo "backupowner $(stat -L -c %U ${quote(directory)})"
fi`;
}

/**
 * Whether somebody answers for an address: to a ping, to a connection where there is no ping, or at least to the
 * question for its owner (a REACHABLE neighbour was confirmed just now).
 */
function vipScript(vips: readonly string[]): string {
  return `for vip in ${words(vips)}; do
  answered=no
  if command -v ping >/dev/null; then
    if ping -n -c 1 -W 1 "$vip" >/dev/null 2>&1; then answered=yes; fi
  elif said=$(timeout 1 bash -c ": <>/dev/tcp/$vip/22" 2>&1); then answered=yes
  else case $said in *refused*) answered=yes ;; esac
  fi
  neighbour=$(ip neighbour show "$vip")
  case $neighbour in *REACHABLE*) answered=yes ;; esac
  [ $answered = no ] || echo "answering $vip $(echo "$neighbour" | sed -n 's/.* lladdr \\([0-9a-f:]*\\).*/\\1/p')"
done`;
}

function parse(output: string): HostFacts {
  const lines = output.split("\n").map((line): [string, string] => {
    const at = line.indexOf(" ");
    return [line.slice(0, at), line.slice(at + 1).trim()];
  });
  const all = (key: string) =>
    lines.filter(([name, value]) => name === key && value !== "").map(([, value]) => value);
  const first = (key: string) => all(key)[0] ?? "";
  const pairs = (key: string) => all(key).map((value) => value.split(" "));
  return {
    system: first("system"),
    architecture: first("architecture"),
    init: first("init"),
    container: first("container"),
    cluster: first("cluster"),
    machineId: first("machine"),
    memory: Math.min(Number(first("memory")) * 1024, Number(first("limit")) || Infinity),
    cores: Number(first("cores")),
    // /proc/net/tcp(5): hexadecimal ports, state 0A is LISTEN.
    listening: [...new Set(all("listening").map((port) => parseInt(port, 16)))],
    interfaces: all("interface"),
    addresses: all("address"),
    macs: all("mac"),
    answering: pairs("answering").map(([address = "", mac = ""]) => ({ address, mac })),
    disk: parseDisk(first("disk")),
    resolved: {
      data: first("resolved-data"),
      dcs: first("resolved-dcs"),
      backup: first("resolved-backup"),
    },
    packaged: all("packaged").map((value) => {
      const at = value.indexOf(" ");
      return { name: value.slice(0, at), path: value.slice(at + 1) };
    }),
    backupFree: Number(first("backupfree")) || 0,
    backupOwner: first("backupowner"),
    readOnly: all("readonly"),
    data: {
      found: first("data") !== "",
      version: first("version"),
      systemIdentifier: first("identifier"),
    },
    dcsFound: first("dcs") !== "",
    synchronised: first("synchronised") === "yes",
    selinux: first("selinux") === "1",
    watchdog: first("watchdog") === "yes",
    unfinished: all("unfinished"),
    users: Object.fromEntries(pairs("user").map(([name, uid]) => [name, Number(uid)])),
    // systemd's words for "no" (systemd.syntax(7)); "yes" is the default (logind.conf(5)).
    removeIpc: !["no", "false", "off", "n", "f", "0"].includes(first("removeipc").toLowerCase()),
    locales: all("locale"),
    foreign: all("foreign"),
  };
}

function parseDisk(line: string): Disk {
  const [type = "", ...numbers] = line.split(/\s+/);
  const [size = 0, free = 0, inodes = 0, freeInodes = 0] = numbers.map((text) => Number(text) || 0);
  return { type, size, free, inodes, freeInodes };
}
