import { distributionNamed, packageManager } from "../distributions/distributions";
import type { PreflightInputs } from "../resources/inputs/preflight";
import { compareVersions } from "../versions";
import { letsUsIn } from "./preflight-login";
import { backupsOfOthers, resolvedDirectories } from "./preflight-directories";
import { isFresh, sameAddress, versionOn, type FoundHost } from "./found-host";

/** Why one host cannot be used, each reason with what to do; none if it can. */
export function judgeHost(seen: FoundHost, inputs: PreflightInputs): string[] {
  return RULES.flatMap((rule) => rule(seen, inputs) ?? []).map(
    (reason) => `${seen.host}: ${reason}`,
  );
}

const { byHand } = packageManager;

type HostRule = (seen: FoundHost, inputs: PreflightInputs) => string | string[] | undefined;

const ARCHITECTURES = ["x86_64", "aarch64"];

const MEGABYTE = 2 ** 20;
const GIGABYTE = 2 ** 30;
/** With less, PostgreSQL and Patroni leave nothing to the kernel. */
const LEAST_MEMORY = 256 * MEGABYTE;
/** A few segments of WAL (16 MB each) and a first copy of an empty database need this. */
const LEAST_FREE = GIGABYTE;
const LEAST_FREE_INODES = 0.01;
/** User ids from here on are people's, not the distribution's (adduser.conf, FIRST_UID). */
const FIRST_PERSON = 1000;
/** Where data is lost with a reboot, or a lost network stops the database in the middle of a write. */
const UNFIT_FILE_SYSTEMS = /^(tmpfs|ramfs|nfs.*|cifs|smb.*)$/;
/** What forks need: files that share their blocks until one of them is written to. */
const COPYING_ON_WRITE = ["btrfs", "xfs"];
const ALWAYS_THERE = ["C", "POSIX", "C.UTF-8"];

const RULES: readonly HostRule[] = [
  system,
  architecture,
  init,
  packageSources,
  unfinishedPackages,
  balancerInterface,
  address,
  otherCluster,
  data,
  dcsData,
  resolvedDirectories,
  backupsOfOthers,
  ports,
  foreignUsers,
  foreignConfiguration,
  fileSystem,
  copyOnWrite,
  freeSpace,
  freeInodes,
  backupSpace,
  readOnly,
  memory,
  timeSync,
  sharedMemory,
  locale,
  watchdog,
  selinux,
  versions,
  databaseVersion,
  letsUsIn,
];

function system({ facts }: FoundHost, { distribution }: PreflightInputs) {
  const { systems, title } = distributionNamed(distribution ?? undefined);
  if (systems.includes(facts.system)) return;
  const chosen = distribution ? ", or mend pgherd:cluster.system.distribution" : "";
  return `expected ${title}, found "${facts.system}". Use another host${chosen}.`;
}

function architecture({ facts }: FoundHost) {
  if (ARCHITECTURES.includes(facts.architecture)) return;
  return `expected x86_64 or aarch64, found "${facts.architecture}". Use another host.`;
}

function init({ facts }: FoundHost) {
  if (facts.init === "systemd") return;
  return `expected systemd as process 1, found "${facts.init}". A container without it will not do.`;
}

function packageSources({ requirement, candidates, installed }: FoundHost) {
  const absent = requirement.packages.filter(
    (one) => !Object.hasOwn(candidates, one) && !Object.hasOwn(installed, one),
  );
  if (absent.length === 0) return;
  return (
    `expected the package sources to have ${absent.join(", ")}. Run ${byHand.refresh} there, ` +
    `mend ${byHand.sources}, or choose another postgresql.version.`
  );
}

/** On a host of ours a killed run leaves them, and the next one goes on. */
function unfinishedPackages(seen: FoundHost) {
  const { unfinished } = seen.facts;
  if (!isFresh(seen) || unfinished.length === 0) return;
  return (
    `expected all packages to be installed fully, found ${unfinished.join(", ")} half done. ` +
    `Run ${byHand.finish} there; ${byHand.mend} if that does not do.`
  );
}

function balancerInterface({ requirement, facts }: FoundHost) {
  if (!requirement.interface || facts.interfaces.includes(requirement.interface)) return;
  return (
    `expected an interface ${requirement.interface} for the virtual IP, found ${facts.interfaces.join(", ")}. ` +
    "Mend pgherd:cluster.loadBalancers.interface."
  );
}

/** The daemons listen on this address, so that one which a router translates will not do. */
function address({ host, requirement, facts }: FoundHost) {
  if (facts.addresses.some((one) => sameAddress(one, requirement.address))) return;
  return (
    `expected ${requirement.address} to be an address of the host itself, found ${facts.addresses.join(", ") || "none"}. ` +
    `Put the one that the other hosts reach into pgherd:hosts.${host}.address.`
  );
}

function otherCluster({ facts }: FoundHost, { cluster }: PreflightInputs) {
  if (facts.cluster === "" || facts.cluster === cluster) return;
  return (
    `belongs to the cluster "${facts.cluster}", as /var/lib/pgherd/cluster says. ` +
    "Take another host, or remove that file if that cluster is gone for good."
  );
}

function data(seen: FoundHost) {
  if (!isFresh(seen) || !seen.facts.data.found || seen.requirement.adoptsPort) return;
  return (
    `${seen.requirement.dataDirectory} is not empty and not ours. Move it away, or choose another ` +
    "pgherd:cluster.postgresql.dataDirectory. Nothing was touched."
  );
}

function dcsData(seen: FoundHost) {
  if (!isFresh(seen) || !seen.facts.dcsFound) return;
  return (
    `${seen.requirement.dcsDirectory} is not empty and not ours. Move it away, or choose another ` +
    "pgherd:cluster.dcs.dataDirectory. Nothing was touched."
  );
}

function ports(seen: FoundHost) {
  if (!isFresh(seen)) return;
  return Object.entries(seen.requirement.ports)
    .filter(([port]) => Number(port) !== seen.requirement.adoptsPort)
    .filter(([port]) => seen.facts.listening.includes(Number(port)))
    .map(
      ([port, daemon]) =>
        `port ${port}, which ${daemon} needs, is in use. \`ss -ltnp\` there tells by whom.`,
    );
}

/** The packages make these users with ids of the system's own. */
function foreignUsers(seen: FoundHost) {
  const { requirement, facts, dcsUser } = seen;
  if (!isFresh(seen)) return;
  const needed: [string, unknown][] = [
    ["postgres", requirement.dataDirectory],
    [dcsUser, requirement.dcsDirectory],
  ];
  return needed
    .filter(([user, directory]) => directory && (facts.users[user] ?? 0) >= FIRST_PERSON)
    .map(
      ([user]) =>
        `expected no user ${user}, or the package's own, found one with the id ${facts.users[user]}: ` +
        "of an installation that is not from Debian's packages. Remove that one, or use another host.",
    );
}

function foreignConfiguration(seen: FoundHost) {
  if (!isFresh(seen)) return;
  return seen.facts.foreign
    .filter((path) => seen.requirement.packages.includes(packageWith(path)))
    .map(
      (path) =>
        `expected no configuration but pgherd's, found ${path}, which somebody else has written. ` +
        `If somebody needs it, use another host; if not, run ${byHand.purge(packageWith(path))} there.`,
    );
}

/** `haproxy` of `/etc/haproxy/haproxy.cfg`, `consul` of `/etc/consul.d/consul.hcl`. */
function packageWith(path: string): string {
  return (path.split("/")[2] ?? "").replace(/\.d$/, "");
}

/** The layers of a container are slow and go with it; a container that is a whole host has nothing else. */
function fileSystem({ requirement, facts }: FoundHost) {
  const { type } = facts.disk;
  const layered = type === "overlay" && facts.container === "none";
  if (!requirement.dataDirectory || !(UNFIT_FILE_SYSTEMS.test(type) || layered)) return;
  return (
    `expected a local file system that outlasts a reboot for ${requirement.dataDirectory}, found ${type}. ` +
    "Mount a disk there, or choose another pgherd:cluster.postgresql.dataDirectory."
  );
}

function copyOnWrite({ requirement, facts }: FoundHost) {
  const { type } = facts.disk;
  if (!requirement.copyOnWrite || COPYING_ON_WRITE.includes(type)) return;
  return (
    `expected a file system that copies on write for pgherd:cluster.forks (${COPYING_ON_WRITE.join(" or ")}), ` +
    `found ${type} where ${requirement.dataDirectory} is. Mount such a disk there, or remove the forks.`
  );
}

/** On a host of ours a run may be what makes room again. */
function freeSpace(seen: FoundHost) {
  const { requirement, facts } = seen;
  if (!isFresh(seen) || !requirement.dataDirectory || facts.disk.free >= LEAST_FREE) return;
  return (
    `expected ${LEAST_FREE / MEGABYTE} MB of free space for ${requirement.dataDirectory}, ` +
    `found ${inMegabytes(facts.disk.free)} MB. Make room, or mount a larger disk there.`
  );
}

/** On a host of ours backups are deleted as new ones come. */
function backupSpace(seen: FoundHost) {
  const { requirement, facts } = seen;
  if (!isFresh(seen) || !requirement.backupDirectory || facts.backupFree >= LEAST_FREE) return;
  return (
    `expected ${LEAST_FREE / MEGABYTE} MB of free space for backups in ${requirement.backupDirectory}, ` +
    `found ${inMegabytes(facts.backupFree)} MB. Make room, mount a larger disk there, or choose another pgherd:cluster.backup.directory.`
  );
}

function freeInodes(seen: FoundHost) {
  const { requirement, facts } = seen;
  const { inodes, freeInodes: free } = facts.disk;
  if (!isFresh(seen) || !requirement.dataDirectory || free >= inodes * LEAST_FREE_INODES) return;
  return (
    `expected 1 % of the inodes to be free for ${requirement.dataDirectory}, found ${free} of ${inodes}. ` +
    "`df -i` there tells; remove files that nobody needs."
  );
}

function readOnly({ facts }: FoundHost) {
  if (facts.readOnly.length === 0) return;
  return (
    `expected to be able to write, found ${facts.readOnly.join(", ")} mounted read-only. ` +
    "`dmesg` there tells whether a disk is damaged; mend it, then remount."
  );
}

function memory({ requirement, facts }: FoundHost) {
  const found = `found ${inMegabytes(facts.memory)} MB`;
  if (requirement.dataDirectory && facts.memory < LEAST_MEMORY) {
    return `expected ${LEAST_MEMORY / MEGABYTE} MB of memory for a member, ${found}. Give it more, or use another host.`;
  }
  if (!requirement.memory || requirement.memory <= facts.memory) return;
  return (
    `expected the ${inMegabytes(requirement.memory)} MB of memory that PostgreSQL is to be tuned for, ${found}. ` +
    "Lower pgherd:cluster.postgresql.resources.memory, or leave it out: then it is what the smallest member has."
  );
}

function timeSync({ requirement, facts }: FoundHost) {
  if (!requirement.timeSync || facts.synchronised) return;
  return (
    `expected something to keep the clock right, found nothing that does. Run ${byHand.install("chrony")} there ` +
    "and give it a minute, or set pgherd:cluster.system.timeSync to false."
  );
}

/** systemd-logind does that only to users that are people; of hosts that are not ours yet, foreignUsers tells already. */
function sharedMemory(seen: FoundHost) {
  const { requirement, facts } = seen;
  const uid = facts.users.postgres ?? 0;
  if (!requirement.dataDirectory || isFresh(seen)) return;
  if (uid < FIRST_PERSON || !facts.removeIpc) return;
  return (
    `expected the shared memory of postgres (user id ${uid}) to be left alone, found RemoveIPC=yes. ` +
    "Put RemoveIPC=no below [Login] into /etc/systemd/logind.conf.d/postgresql.conf there and restart systemd-logind."
  );
}

function locale({ requirement: { locale: wanted }, facts }: FoundHost) {
  if (
    !wanted ||
    [...ALWAYS_THERE, ...facts.locales].some((one) => spelled(one) === spelled(wanted))
  )
    return;
  return (
    `expected the locale ${wanted}, found ${facts.locales.join(", ") || "none"}. Put it into /etc/locale.gen there ` +
    "and run locale-gen (package locales), or choose another pgherd:cluster.postgresql.locale."
  );
}

function watchdog({ requirement, facts }: FoundHost) {
  if (!requirement.watchdog || facts.watchdog) return;
  return (
    "expected a watchdog device, found no /dev/watchdog. Load its module (softdog where there is no hardware), " +
    'or set pgherd:cluster.failover.watchdog to "automatic".'
  );
}

function selinux({ facts }: FoundHost) {
  if (!facts.selinux) return;
  return (
    "expected SELinux not to be enforcing, found that it is: it has no rules for these daemons. " +
    "Run setenforce 0 there and put SELINUX=permissive into /etc/selinux/config, or use another host."
  );
}

function versions(seen: FoundHost, inputs: PreflightInputs) {
  return inputs.versions.flatMap((rule) => {
    const found = versionOn(seen, rule.package);
    if (found === undefined) return [];
    const say = (needed: string) =>
      `${rule.setting} needs ${rule.package} ${needed}, found ${found}. ${rule.reason}`;
    return [
      ...(rule.atLeast !== undefined && compareVersions(found, rule.atLeast) < 0
        ? [say(`${rule.atLeast} or newer`)]
        : []),
      ...(rule.below !== undefined && compareVersions(found, rule.below) >= 0
        ? [say(`older than ${rule.below}`)]
        : []),
    ];
  });
}

/** Of hosts that are not ours yet, data tells already. */
function databaseVersion(seen: FoundHost, { fixed }: PreflightInputs) {
  const { version } = seen.facts.data;
  const wanted = fixed["postgresql.version"];
  // A server that is migrated has its data where the survey finds them; what is here may be another one's.
  if (seen.requirement.adoptsPort) return;
  if (isFresh(seen) || version === "" || wanted === undefined || version === wanted) return;
  return (
    `expected ${seen.requirement.dataDirectory} to hold a database of PostgreSQL ${wanted}, found one of ${version}. ` +
    `Set pgherd:cluster.postgresql.version to ${version}, or move that directory away if nobody needs it.`
  );
}

/** One spelling of a locale: `de_DE.UTF-8` and `de_DE.utf8` are the same. */
export function spelled(name: string): string {
  return name.toLowerCase().replaceAll("-", "");
}

function inMegabytes(bytes: number): number {
  return Math.floor(bytes / MEGABYTE);
}
