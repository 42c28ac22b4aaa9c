import { expect, test } from "vitest";
import type { HostFacts } from "../../src/facts/host";
import { learn } from "../../src/provider/preflight";
import { judgeHost } from "../../src/provider/preflight-rules";
import { judgeBetween, judgeFixed } from "../../src/provider/preflight-rules-between";
import type { FoundHost } from "../../src/provider/found-host";
import type {
  PreflightInputs,
  Requirement,
  VersionRule,
} from "../../src/resources/inputs/preflight";

const GIGABYTE = 2 ** 30;

const FACTS: HostFacts = {
  system: "debian 13",
  architecture: "x86_64",
  init: "systemd",
  container: "none",
  cluster: "",
  machineId: "aaaa",
  memory: 4 * GIGABYTE,
  cores: 4,
  listening: [22],
  interfaces: ["eth0", "lo"],
  addresses: ["10.89.0.11", "fd00:89::11"],
  macs: ["52:54:00:00:00:11"],
  answering: [],
  disk: {
    type: "ext4",
    size: 100 * GIGABYTE,
    free: 50 * GIGABYTE,
    inodes: 1000000,
    freeInodes: 900000,
  },
  backupFree: 0,
  backupOwner: "",
  resolved: { data: "", dcs: "", backup: "" },
  packaged: [],
  readOnly: [],
  data: { found: false, version: "", systemIdentifier: "" },
  dcsFound: false,
  synchronised: true,
  selinux: false,
  watchdog: false,
  unfinished: [],
  users: {},
  removeIpc: true,
  locales: ["C", "C.utf8", "POSIX"],
  foreign: [],
};

/** Of a host that is both a member and a load balancer, so that every rule looks at it. */
const REQUIREMENT: Requirement = {
  address: "10.89.0.11",
  packages: ["etcd-server", "haproxy", "patroni", "postgresql-17"],
  ports: { 5432: "patroni" },
  reaches: [
    { to: "db2", port: 2379, purpose: "etcd" },
    { to: "db3", port: 2379, purpose: "etcd" },
  ],
  dataDirectory: "/var/lib/postgresql/17/main",
  dcsDirectory: "/var/lib/etcd/demo",
  interface: "eth0",
  locale: "C.UTF-8",
  watchdog: false,
  timeSync: true,
};

const VERSIONS = {
  "etcd-server": "3.5.16-4",
  haproxy: "3.0.11-1+deb13u1",
  patroni: "4.0.4-8",
  "postgresql-17": "17.6-0+deb13u1",
};

const INPUTS: PreflightInputs = {
  cluster: "demo",
  hosts: { db1: REQUIREMENT },
  versions: [],
  sameVersions: ["patroni", "postgresql-17"],
  vips: ["10.89.0.100"],
  fixed: { "postgresql.version": "17" },
};

interface Odd {
  readonly facts?: Partial<HostFacts>;
  readonly requirement?: Partial<Requirement>;
  readonly candidates?: FoundHost["candidates"];
  readonly installed?: FoundHost["installed"];
  readonly clock?: FoundHost["clock"];
  readonly closed?: FoundHost["closed"];
  readonly loginFrom?: string;
}

/** A host without fault but for what is said. */
function found(host: string, { facts, requirement, ...rest }: Odd): FoundHost {
  return {
    host,
    requirement: { ...REQUIREMENT, ...requirement },
    facts: { ...FACTS, ...facts },
    dcsUser: "etcd",
    candidates: VERSIONS,
    installed: {},
    clock: { offset: 0, uncertainty: 0.01 },
    closed: [],
    ...rest,
  };
}

function judge(odd: Odd, inputs: Partial<PreflightInputs> = {}): string[] {
  return judgeHost(found("db1", odd), { ...INPUTS, ...inputs });
}

test("a release that has no number yet is known by its codename", () => {
  expect(judge({ facts: { system: "debian forky" } })).toEqual([]);
});

test("hosts of a stack that names its release must all run that one", () => {
  const inputs = { distribution: "debian-14" };
  expect(judge({ facts: { system: "debian 14" } }, inputs)).toEqual([]);
  expect(judge({ facts: { system: "debian 13" } }, inputs)).toEqual([
    'db1: expected Debian 14, found "debian 13". Use another host, or mend pgherd:cluster.system.distribution.',
  ]);
});

const OURS = { cluster: "demo" };

const REFUSALS: readonly [string, Odd, string][] = [
  [
    "another system",
    { facts: { system: "ubuntu 24.04" } },
    'expected Debian 12, 13 or 14, found "ubuntu 24.04". Use another host.',
  ],
  [
    "another architecture",
    { facts: { architecture: "riscv64" } },
    'expected x86_64 or aarch64, found "riscv64". Use another host.',
  ],
  [
    "another process 1",
    { facts: { init: "docker-init" } },
    'expected systemd as process 1, found "docker-init". A container without it will not do.',
  ],
  [
    "a package that is not to be had",
    { candidates: { "etcd-server": "3.5.16-4", haproxy: "3.0.11-1", patroni: "4.0.4-8" } },
    "expected the package sources to have postgresql-17. Run apt-get update there, " +
      "mend /etc/apt/sources.list.d, or choose another postgresql.version.",
  ],
  [
    "packages that are half installed",
    { facts: { unfinished: ["ssl-cert", "haproxy"] } },
    "expected all packages to be installed fully, found ssl-cert, haproxy half done. " +
      "Run dpkg --configure -a there; apt-get -f install if that does not do.",
  ],
  [
    "an interface that is not there",
    { requirement: { interface: "eth1" } },
    "expected an interface eth1 for the virtual IP, found eth0, lo. Mend pgherd:cluster.loadBalancers.interface.",
  ],
  [
    "an address that is not its own",
    { requirement: { address: "203.0.113.7" } },
    "expected 203.0.113.7 to be an address of the host itself, found 10.89.0.11, fd00:89::11. " +
      "Put the one that the other hosts reach into pgherd:hosts.db1.address.",
  ],
  [
    "another cluster",
    { facts: { cluster: "prod" } },
    'belongs to the cluster "prod", as /var/lib/pgherd/cluster says. ' +
      "Take another host, or remove that file if that cluster is gone for good.",
  ],
  [
    "data that is not ours",
    { facts: { data: { found: true, version: "17", systemIdentifier: "7001" } } },
    "/var/lib/postgresql/17/main is not empty and not ours. Move it away, or choose another " +
      "pgherd:cluster.postgresql.dataDirectory. Nothing was touched.",
  ],
  [
    "data of an etcd that is not ours",
    { facts: { dcsFound: true } },
    "/var/lib/etcd/demo is not empty and not ours. Move it away, or choose another " +
      "pgherd:cluster.dcs.dataDirectory. Nothing was touched.",
  ],
  [
    "a port in use",
    { facts: { listening: [22, 5432] } },
    "port 5432, which patroni needs, is in use. `ss -ltnp` there tells by whom.",
  ],
  [
    "a user of another installation",
    { facts: { users: { postgres: 1003, etcd: 104 } } },
    "expected no user postgres, or the package's own, found one with the id 1003: of an installation that is not " +
      "from Debian's packages. Remove that one, or use another host.",
  ],
  [
    "a daemon that somebody else has set up",
    { facts: { foreign: ["/etc/haproxy/haproxy.cfg"] } },
    "expected no configuration but pgherd's, found /etc/haproxy/haproxy.cfg, which somebody else has written. " +
      "If somebody needs it, use another host; if not, run apt-get purge haproxy there.",
  ],
  [
    "a daemon whose folder is not called as its package",
    {
      requirement: { packages: ["consul"] },
      installed: { consul: "1.8.7-1" },
      facts: { foreign: ["/etc/consul.d/server.hcl"] },
    },
    "expected no configuration but pgherd's, found /etc/consul.d/server.hcl, which somebody else has written. " +
      "If somebody needs it, use another host; if not, run apt-get purge consul there.",
  ],
  [
    "a data directory in memory",
    { facts: { disk: { ...FACTS.disk, type: "tmpfs" } } },
    "expected a local file system that outlasts a reboot for /var/lib/postgresql/17/main, found tmpfs. " +
      "Mount a disk there, or choose another pgherd:cluster.postgresql.dataDirectory.",
  ],
  [
    "a data directory on another machine",
    { facts: { disk: { ...FACTS.disk, type: "nfs4" } } },
    "expected a local file system that outlasts a reboot for /var/lib/postgresql/17/main, found nfs4. " +
      "Mount a disk there, or choose another pgherd:cluster.postgresql.dataDirectory.",
  ],
  [
    "a data directory on a Windows share",
    { facts: { disk: { ...FACTS.disk, type: "cifs" } } },
    "expected a local file system that outlasts a reboot for /var/lib/postgresql/17/main, found cifs. " +
      "Mount a disk there, or choose another pgherd:cluster.postgresql.dataDirectory.",
  ],
  [
    "a data directory on layers, outside a container",
    { facts: { disk: { ...FACTS.disk, type: "overlay" } } },
    "expected a local file system that outlasts a reboot for /var/lib/postgresql/17/main, found overlay. " +
      "Mount a disk there, or choose another pgherd:cluster.postgresql.dataDirectory.",
  ],
  [
    "a data directory that is a link into the system's",
    { facts: { resolved: { data: "/etc/pg", dcs: "", backup: "" } } },
    "expected /var/lib/postgresql/17/main to be a directory of its own, found that it leads to /etc/pg, which lies in /etc, the system's. " +
      "Remove the link, or choose another pgherd:cluster.postgresql.dataDirectory. Nothing was touched.",
  ],
  [
    "a data directory in one of other software",
    {
      requirement: { dataDirectory: "/var/lib/snapd/pg" },
      facts: {
        resolved: { data: "/var/lib/snapd/pg", dcs: "", backup: "" },
        packaged: [
          { name: "base-files", path: "/var/lib" },
          { name: "snapd", path: "/var/lib/snapd" },
        ],
      },
    },
    "expected /var/lib/snapd/pg to be a directory of its own, found that /var/lib/snapd belongs to the package snapd. " +
      "Choose another pgherd:cluster.postgresql.dataDirectory. Nothing was touched.",
  ],
  [
    "backups that a link leads into the data",
    {
      requirement: { dataDirectory: "/pg", backupDirectory: "/srv/b" },
      facts: { backupFree: GIGABYTE, resolved: { data: "/pg", dcs: "", backup: "/pg/b" } },
    },
    "expected /srv/b to be apart from /pg, found that they lead to /pg/b and /pg. " +
      "Remove the link, or choose another pgherd:cluster.backup.directory. Nothing was touched.",
  ],
  [
    "a directory for backups that holds what is somebody else's",
    {
      requirement: { backupDirectory: "/srv/b" },
      facts: { backupFree: GIGABYTE, backupOwner: "mysql" },
    },
    "expected /srv/b to be empty or barman's, found that it is not empty and mysql's. " +
      "Choose another pgherd:cluster.backup.directory, such as a new folder in it. Nothing was touched.",
  ],
  [
    "a disk that cannot share blocks, where forks are wanted",
    { requirement: { copyOnWrite: true } },
    "expected a file system that copies on write for pgherd:cluster.forks (btrfs or xfs), " +
      "found ext4 where /var/lib/postgresql/17/main is. Mount such a disk there, or remove the forks.",
  ],
  [
    "a full disk",
    { facts: { disk: { ...FACTS.disk, free: GIGABYTE - 1 } } },
    "expected 1024 MB of free space for /var/lib/postgresql/17/main, found 1023 MB. " +
      "Make room, or mount a larger disk there.",
  ],
  [
    "no inodes",
    { facts: { disk: { ...FACTS.disk, freeInodes: 9999 } } },
    "expected 1 % of the inodes to be free for /var/lib/postgresql/17/main, found 9999 of 1000000. " +
      "`df -i` there tells; remove files that nobody needs.",
  ],
  [
    "what cannot be written to",
    { facts: { readOnly: ["/", "/tmp"] } },
    "expected to be able to write, found /, /tmp mounted read-only. " +
      "`dmesg` there tells whether a disk is damaged; mend it, then remount.",
  ],
  [
    "too little memory for a member",
    { facts: { memory: 255 * 2 ** 20 } },
    "expected 256 MB of memory for a member, found 255 MB. Give it more, or use another host.",
  ],
  [
    "less memory than PostgreSQL is tuned for",
    { requirement: { memory: 8 * GIGABYTE } },
    "expected the 8192 MB of memory that PostgreSQL is to be tuned for, found 4096 MB. " +
      "Lower pgherd:cluster.postgresql.resources.memory, or leave it out: then it is what the smallest member has.",
  ],
  [
    "a clock that nobody sets",
    { facts: { synchronised: false } },
    "expected something to keep the clock right, found nothing that does. Run apt-get install chrony there " +
      "and give it a minute, or set pgherd:cluster.system.timeSync to false.",
  ],
  [
    "shared memory that is taken away",
    { facts: { ...OURS, users: { postgres: 1003 }, removeIpc: true } },
    "expected the shared memory of postgres (user id 1003) to be left alone, found RemoveIPC=yes. " +
      "Put RemoveIPC=no below [Login] into /etc/systemd/logind.conf.d/postgresql.conf there and restart systemd-logind.",
  ],
  [
    "a locale that is not there",
    { requirement: { locale: "de_DE.UTF-8" } },
    "expected the locale de_DE.UTF-8, found C, C.utf8, POSIX. Put it into /etc/locale.gen there " +
      "and run locale-gen (package locales), or choose another pgherd:cluster.postgresql.locale.",
  ],
  [
    "no watchdog where one is required",
    { requirement: { watchdog: true } },
    "expected a watchdog device, found no /dev/watchdog. Load its module (softdog where there is no hardware), " +
      'or set pgherd:cluster.failover.watchdog to "automatic".',
  ],
  [
    "SELinux that forbids",
    { facts: { selinux: true } },
    "expected SELinux not to be enforcing, found that it is: it has no rules for these daemons. " +
      "Run setenforce 0 there and put SELINUX=permissive into /etc/selinux/config, or use another host.",
  ],
  [
    "a database of another version",
    { facts: { ...OURS, data: { found: true, version: "16", systemIdentifier: "7001" } } },
    "expected /var/lib/postgresql/17/main to hold a database of PostgreSQL 17, found one of 16. " +
      "Set pgherd:cluster.postgresql.version to 16, or move that directory away if nobody needs it.",
  ],
];

test.each(REFUSALS)("a host is refused for %s", (_name, odd, reason) => {
  expect(judge(odd)).toEqual([`db1: ${reason}`]);
});

const ACCEPTED: readonly [string, Odd][] = [
  ["without fault", {}],
  ["of Debian 12", { facts: { system: "debian 12" } }],
  ["of another make", { facts: { architecture: "aarch64" } }],
  ["of ours with its ports in use", { facts: { ...OURS, listening: [22, 5432] } }],
  [
    "of ours with its data",
    {
      facts: {
        ...OURS,
        dcsFound: true,
        data: { found: true, version: "17", systemIdentifier: "7001" },
      },
    },
  ],
  ["of ours that a killed run left half done", { facts: { ...OURS, unfinished: ["patroni"] } }],
  ["of ours with a configuration by hand", { facts: { ...OURS, foreign: ["/etc/haproxy/x"] } }],
  ["with the packages' own users", { facts: { users: { postgres: 105, etcd: 106 } } }],
  [
    "with a user etcd where no etcd will run",
    { facts: { users: { etcd: 1001 } }, requirement: { dcsDirectory: null } },
  ],
  [
    "with a daemon that it is not needed for",
    { facts: { foreign: ["/etc/keepalived/keepalived.conf"] } },
  ],
  [
    "that is a container on layers",
    { facts: { container: "systemd-nspawn", disk: { ...FACTS.disk, type: "overlay" } } },
  ],
  [
    "with a file system that makes inodes as needed",
    { facts: { disk: { ...FACTS.disk, inodes: 0, freeInodes: 0 } } },
  ],
  [
    "without data that is small and full",
    {
      facts: { memory: 128 * 2 ** 20, disk: { ...FACTS.disk, free: 0 } },
      requirement: { dataDirectory: null },
    },
  ],
  ["with another spelling of its address", { requirement: { address: "fd00:89:0::11" } }],
  [
    "with another spelling of the locale",
    { facts: { locales: ["de_DE.utf8"] }, requirement: { locale: "de_DE.UTF-8" } },
  ],
  ["with a locale that is always there", { facts: { locales: [] } }],
  [
    "whose clock need not be set",
    { facts: { synchronised: false }, requirement: { timeSync: false } },
  ],
  [
    "with a watchdog where one is required",
    { facts: { watchdog: true }, requirement: { watchdog: true } },
  ],
  [
    "of ours whose shared memory is kept",
    { facts: { ...OURS, users: { postgres: 1003 }, removeIpc: false } },
  ],
  ["with exactly the memory that is wanted", { requirement: { memory: 4 * GIGABYTE } }],
];

test.each(ACCEPTED)("a host %s is accepted", (_name, odd) => {
  expect(judge(odd)).toEqual([]);
});

test("whoever would be shut out by the firewall's SSH networks is told from where the host sees him come", () => {
  const logins = { db1: ["10.1.0.0/16", "fd00:1::/64", "192.0.2.9", "10.89.0.41"] };
  expect(judge({ loginFrom: "192.0.2.7" }, { logins })).toEqual([
    "db1: expected the address that you log in from to be let in, which it sees as 192.0.2.7, got 10.1.0.0/16, fd00:1::/64, 192.0.2.9, 10.89.0.41. " +
      "Put it into pgherd:cluster.firewall.ssh: otherwise nobody could log in from here any more.",
  ]);
  expect(judge({ loginFrom: "fd00:2::1" }, { logins })).toHaveLength(1);
  for (const loginFrom of ["10.1.200.3", "192.0.2.9", "fd00:1::7", "10.89.0.41"])
    expect(judge({ loginFrom }, { logins })).toEqual([]);
  expect(judge({}, { logins })).toEqual([]);
  expect(judge({ loginFrom: "192.0.2.7" })).toEqual([]);
});

test("all reasons are told at once", () => {
  const reasons = judge({ facts: { system: "debian 11", selinux: true, listening: [5432] } });
  expect(reasons).toHaveLength(3);
});

const QUORUM: VersionRule = {
  package: "patroni",
  atLeast: "4.0.0",
  setting: 'pgherd:cluster.replication.mode: "quorum"',
  reason: "An older one would silently replicate asynchronously.",
};
const AGGRESSIVE: VersionRule = {
  package: "patroni",
  below: "3.2.0",
  setting: 'pgherd:cluster.failover.profile: "aggressive"',
  reason: 'Choose the profile "fast".',
};

test.each<[string, VersionRule, Odd, string[]]>([
  [
    "an old version that would be installed is refused",
    QUORUM,
    { candidates: { ...VERSIONS, patroni: "3.0.2-1" } },
    [
      'db1: pgherd:cluster.replication.mode: "quorum" needs patroni 4.0.0 or newer, found 3.0.2-1. ' +
        "An older one would silently replicate asynchronously.",
    ],
  ],
  [
    "an old version that is installed is refused, whatever could be",
    QUORUM,
    { installed: { patroni: "3.3.2-1" } },
    [
      'db1: pgherd:cluster.replication.mode: "quorum" needs patroni 4.0.0 or newer, found 3.3.2-1. ' +
        "An older one would silently replicate asynchronously.",
    ],
  ],
  [
    "a new version is refused where an old one is needed",
    AGGRESSIVE,
    { candidates: { ...VERSIONS, patroni: "3.2.0-1" } },
    [
      'db1: pgherd:cluster.failover.profile: "aggressive" needs patroni older than 3.2.0, found 3.2.0-1. ' +
        'Choose the profile "fast".',
    ],
  ],
  ["a version that is new enough is accepted", QUORUM, {}, []],
  [
    "a version that is old enough is accepted",
    AGGRESSIVE,
    { installed: { patroni: "3.0.2-1" } },
    [],
  ],
  [
    "a host that does not need the package may have any",
    QUORUM,
    { requirement: { packages: ["haproxy"] }, installed: { patroni: "3.0.2-1" } },
    [],
  ],
])("%s", (_name, rule, odd, reasons) => {
  expect(judge(odd, { versions: [rule] })).toEqual(reasons);
});

/** Three hosts without fault but for what is said of each. */
function together(odds: readonly [Odd, Odd, Odd], inputs: Partial<PreflightInputs> = {}): string[] {
  const seen = odds.map((odd, i) =>
    found(`db${i + 1}`, {
      ...odd,
      facts: {
        machineId: `machine${i + 1}`,
        addresses: [`10.89.0.1${i + 1}`],
        macs: [`52:54:00:00:00:1${i + 1}`],
        ...odd.facts,
      },
    }),
  );
  const hosts = Object.fromEntries(seen.map(({ host, requirement }) => [host, requirement]));
  return judgeBetween(seen, { ...INPUTS, hosts, ...inputs });
}

const DB2_SILENT = { address: "10.89.0.12", port: 2379, found: "no answer within 3 seconds" };
const STRANGER = { address: "10.89.0.100", mac: "52:54:00:aa:bb:cc" };

function data(systemIdentifier: string): Odd {
  return { facts: { ...OURS, data: { found: true, version: "17", systemIdentifier } } };
}

test.each<[string, [Odd, Odd, Odd], string[]]>([
  ["hosts without fault go together", [{}, {}, {}], []],
  [
    "copies of one host are refused",
    [{ facts: { machineId: "copy" } }, {}, { facts: { machineId: "copy" } }],
    [
      "db1, db3: expected each host to have an /etc/machine-id of its own, found copy on all of them. " +
        "If they are copies, empty that file on all but one and reboot them; if they are one host, name it once in pgherd:hosts.",
    ],
  ],
  [
    "clocks that are apart are refused",
    [
      { clock: { offset: 0.1, uncertainty: 0.05 } },
      { clock: { offset: -0.2, uncertainty: 0.05 } },
      { clock: { offset: 12.44, uncertainty: 0.05 } },
    ],
    [
      "db1, db2, db3: expected clocks within 1 second of each other, found, against this machine's, " +
        "db1 +0.1 s, db2 -0.2 s, db3 +12.4 s. Run apt-get install chrony and chronyc makestep on those that are wrong.",
    ],
  ],
  [
    "clocks that may be near each other are accepted",
    [
      { clock: { offset: 0, uncertainty: 0.6 } },
      { clock: { offset: 1.5, uncertainty: 0.6 } },
      { clock: { offset: 0.9, uncertainty: 0.01 } },
    ],
    [],
  ],
  [
    "a wrong clock of the controller's is no matter",
    [
      { clock: { offset: 3600, uncertainty: 0.1 } },
      { clock: { offset: 3600.2, uncertainty: 0.1 } },
      { clock: { offset: 3600.1, uncertainty: 0.1 } },
    ],
    [],
  ],
  [
    "different versions are refused",
    [{}, {}, { installed: { patroni: "3.0.2-1" } }],
    [
      "db1, db2, db3: expected the same version of patroni, found 4.0.4-8 on db1, db2; 3.0.2-1 on db3. " +
        "Use the same package sources on all of them, and upgrade those that are behind.",
    ],
  ],
  [
    "what Debian adds to a version is no matter",
    [{}, {}, { installed: { patroni: "4.0.4-9~bpo12+1" } }],
    [],
  ],
  [
    "the version on a host that does not need it is no matter",
    [{}, {}, { installed: { patroni: "3.0.2-1" }, requirement: { packages: ["haproxy"] } }],
    [],
  ],
  [
    "a stranger at the virtual IP is refused",
    [{ facts: { answering: [STRANGER] } }, { facts: { answering: [STRANGER] } }, {}],
    [
      "db1, db2: expected nobody to answer for the virtual IP 10.89.0.100 yet, found a stranger with the interface " +
        "address 52:54:00:aa:bb:cc. Choose a free address for pgherd:cluster.loadBalancers.vip, or take it from the other one.",
    ],
  ],
  [
    "a stranger at the virtual IP who is not seen nearby is refused too",
    [{ facts: { answering: [{ address: "10.89.0.100", mac: "" }] } }, {}, {}],
    [
      "db1: expected nobody to answer for the virtual IP 10.89.0.100 yet, found a stranger. " +
        "Choose a free address for pgherd:cluster.loadBalancers.vip, or take it from the other one.",
    ],
  ],
  [
    "a load balancer at the virtual IP is where it belongs",
    [
      { facts: { answering: [{ address: "10.89.0.100", mac: "52:54:00:00:00:12" }] } },
      { facts: { addresses: ["10.89.0.12", "10.89.0.100"] } },
      {},
    ],
    [],
  ],
  [
    "a load balancer that has let go of the virtual IP just now is no stranger",
    [{ facts: { answering: [{ address: "10.89.0.100", mac: "52:54:00:00:00:12" }] } }, {}, {}],
    [],
  ],
  [
    "a door that no host can reach is told once",
    [
      { closed: [DB2_SILENT] },
      { requirement: { address: "10.89.0.12" } },
      { closed: [DB2_SILENT] },
    ],
    [
      "db1, db3: expected to reach etcd on db2 (10.89.0.12 port 2379), got: no answer within 3 seconds. " +
        "A firewall in between or on db2 stops it; pgherd plan --flows prints all that must pass.",
    ],
  ],
  ["members of one database go together", [data("7001"), data("7001"), {}], []],
  [
    "members of different databases are refused",
    [data("7001"), data("7002"), data("7001")],
    [
      "db1, db2, db3: expected the data of one database, found the system identifiers 7001 on db1, db3; 7002 on db2. " +
        "Find out which one is the cluster's; move the data directory of the others away, and Patroni copies it anew.",
    ],
  ],
])("%s", (_name, odds, reasons) => {
  expect(together(odds)).toEqual(reasons);
});

test("while a load balancer cannot be asked, nobody is called a stranger", () => {
  const odds: [Odd, Odd, Odd] = [{ facts: { answering: [STRANGER] } }, {}, {}];
  const hosts = { db1: REQUIREMENT, db2: REQUIREMENT, db3: REQUIREMENT, lb4: REQUIREMENT };
  expect(together(odds, { hosts })).toEqual([]);
});

const DATABASE =
  "It is fixed when a database is made; put the old value back, or move the data to a new cluster.";

const IN_ETCD = { "dcs.kind": "etcd", "dcs.members": "db1, db2, db3", "dcs.clientPort": "2379" };
const IN_CONSUL = {
  "dcs.kind": "consul",
  "dcs.members": "db1, db2, db3",
  "dcs.clientPort": "8500",
};
const GIVEN = { "dcs.kind": "etcd", "dcs.members": "none", "dcs.prefix": "/service/" };

test.each([
  [IN_CONSUL, IN_ETCD],
  [GIVEN, IN_ETCD],
  [IN_ETCD, GIVEN],
])(
  "another DCS is one problem, and named as the one that the cluster comes from it is none",
  (now, before) => {
    expect(judgeFixed(now, before)).toEqual([
      "pgherd:cluster.dcs: expected the DCS that this cluster is in, got another one. To move the cluster there, put the old block below the " +
        "new one as cluster.dcs.movedFrom: docs/moving-dcs.md. Else put the old one back.",
    ]);
    expect(judgeFixed(now, before, before)).toEqual([]);
    // The next run knows the new one.
    expect(judgeFixed(now, now, before)).toEqual([]);
    expect(judgeFixed(now, now)).toEqual([]);
  },
);

test("a cluster that moves comes from the DCS that it was in, and keeps all else", () => {
  const other = { ...IN_ETCD, "dcs.members": "db1, db2, etcd1" };
  expect(judgeFixed(IN_CONSUL, IN_ETCD, other)).toHaveLength(1);
  const locale = { "postgresql.locale": "C.UTF-8" };
  const another = { "postgresql.locale": "de_DE.UTF-8" };
  expect(judgeFixed({ ...IN_CONSUL, ...another }, { ...IN_ETCD, ...locale }, IN_ETCD)).toEqual(
    expect.arrayContaining([expect.stringContaining("pgherd:cluster.postgresql.locale")]),
  );
});

test.each([
  [
    "postgresql.version",
    "17",
    "18",
    "Upgrades are an operation of their own; put the old value back.",
  ],
  ["postgresql.dataDirectory", "/srv/a", "/srv/b", DATABASE],
  ["postgresql.dataChecksums", "true", "false", DATABASE],
  ["postgresql.locale", "C.UTF-8", "de_DE.UTF-8", DATABASE],
  ["dcs.clientPort", "2379", "2479", "It is kept for a cluster's life; put the old value back."],
])("%s is kept for a cluster's life", (path, before, now, remedy) => {
  expect(judgeFixed({ [path]: now }, { [path]: before })).toEqual([
    `pgherd:cluster.${path}: expected ${before}, which this cluster was made with, got ${now}. ${remedy}`,
  ]);
});

test("a directory that is only spelt in another way is the same", () => {
  const path = "postgresql.dataDirectory";
  expect(judgeFixed({ [path]: "/srv/pg" }, { [path]: "/srv//pg/" })).toEqual([]);
});

test("a new cluster may have any settings", () => {
  expect(judgeFixed({ members: "db1", "dcs.token": "demo" }, {})).toEqual([]);
});

test("settings that an older pgherd did not note may be anything", () => {
  expect(judgeFixed({ members: "db1", "dcs.token": "demo" }, { members: "db1" })).toEqual([]);
});

test("a default directory that follows the version is not told beside it", () => {
  const fixed = (version: string) => ({
    "postgresql.version": version,
    "postgresql.dataDirectory": `/var/lib/postgresql/${version}/main`,
  });
  expect(judgeFixed(fixed("18"), fixed("17"))).toEqual([
    "pgherd:cluster.postgresql.version: expected 17, which this cluster was made with, got 18. " +
      "Upgrades are an operation of their own; put the old value back.",
  ]);
});

test("the smallest member and the lowest versions are learned, of installed packages and others", () => {
  const balancer = { dataDirectory: null, packages: ["haproxy"] };
  const seen = [
    found("db1", { facts: { cores: 2 }, installed: { patroni: "4.0.4-8" } }),
    found("db2", {
      facts: { memory: 2 * GIGABYTE, disk: { ...FACTS.disk, size: 50 * GIGABYTE } },
      candidates: { ...VERSIONS, patroni: "4.0.7-1~deb13u1" },
    }),
    found("lb1", { requirement: balancer, facts: { memory: GIGABYTE, cores: 1 } }),
  ];
  expect(learn(seen)).toEqual({
    smallest: { memory: 2 * GIGABYTE, cores: 2, disk: 50 * GIGABYTE },
    versions: {
      "etcd-server": "3.5.16",
      haproxy: "3.0.11",
      patroni: "4.0.4",
      "postgresql-17": "17.6",
    },
    archives: true,
  });
  // A cluster that was made without archive_mode would have to restart for it.
  expect(learn(seen, { smallest: learn(seen).smallest, versions: {} }).archives).toBe(false);
  expect(learn(seen, learn(seen)).archives).toBe(true);
});
