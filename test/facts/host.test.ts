import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { clockProbe } from "../../src/facts/clock";
import { hostProbe } from "../../src/facts/host";

test("a host is told as it is before the first change", () => {
  const output = `system debian 13
architecture x86_64
init systemd
container none
cluster 
machine 0123456789abcdef0123456789abcdef
memory 8127596
limit 
cores 4
listening 0016
listening 0016
listening 1538
interface host0
mac 52:54:00:12:34:56
interface lo
mac 00:00:00:00:00:00
address 10.89.0.11
address fd00:89::11
data 
disk ext4 105089261568  52544630784 6553600 6500000
dcs 
synchronised yes
selinux 
user postgres 105
removeipc no
locale C
locale C.utf8
locale POSIX
`;
  expect(hostProbe().parse(output)).toEqual({
    system: "debian 13",
    architecture: "x86_64",
    init: "systemd",
    container: "none",
    cluster: "",
    machineId: "0123456789abcdef0123456789abcdef",
    memory: 8127596 * 1024,
    cores: 4,
    listening: [22, 5432],
    interfaces: ["host0", "lo"],
    macs: ["52:54:00:12:34:56", "00:00:00:00:00:00"],
    addresses: ["10.89.0.11", "fd00:89::11"],
    answering: [],
    disk: {
      type: "ext4",
      size: 105089261568,
      free: 52544630784,
      inodes: 6553600,
      freeInodes: 6500000,
    },
    resolved: { data: "", dcs: "", backup: "" },
    packaged: [],
    backupFree: 0,
    backupOwner: "",
    readOnly: [],
    data: { found: false, version: "", systemIdentifier: "" },
    dcsFound: false,
    synchronised: true,
    selinux: false,
    watchdog: false,
    unfinished: [],
    users: { postgres: 105 },
    removeIpc: false,
    locales: ["C", "C.utf8", "POSIX"],
    foreign: [],
  });
});

test("a host of a cluster with data is told as such", () => {
  const facts = hostProbe().parse(
    "system debian 12\ncluster demo\ndata PG_VERSION\nversion 17\nidentifier 7517\ndcs member\n",
  );
  expect(facts).toMatchObject({
    system: "debian 12",
    cluster: "demo",
    data: { found: true, version: "17", systemIdentifier: "7517" },
    dcsFound: true,
  });
});

test("what makes a host unfit is told", () => {
  const output = `container systemd-nspawn
readonly /tmp
readonly /srv/my data
selinux 1
watchdog yes
unfinished patroni
unfinished postgresql-17
foreign /etc/haproxy/haproxy.cfg
answering 10.89.0.100 52:54:00:aa:bb:cc
answering fd00:89::100 
removeipc 
`;
  expect(hostProbe().parse(output)).toMatchObject({
    container: "systemd-nspawn",
    backupFree: 0,
    readOnly: ["/tmp", "/srv/my data"],
    selinux: true,
    watchdog: true,
    synchronised: false,
    unfinished: ["patroni", "postgresql-17"],
    foreign: ["/etc/haproxy/haproxy.cfg"],
    answering: [
      { address: "10.89.0.100", mac: "52:54:00:aa:bb:cc" },
      { address: "fd00:89::100", mac: "" },
    ],
    removeIpc: true,
  });
});

test("a container has no more memory than its limit", () => {
  const { parse } = hostProbe();
  expect(parse("memory 8127596\nlimit 536870912\n").memory).toBe(536870912);
  expect(parse("memory 8127596\nlimit max\n").memory).toBe(8127596 * 1024);
});

test("a file system without a fixed number of inodes is told as such", () => {
  const { disk } = hostProbe().parse("disk btrfs 1000 500 - -\n");
  expect(disk).toEqual({ type: "btrfs", size: 1000, free: 500, inodes: 0, freeInodes: 0 });
});

/** What a real shell answers here. */
function ask(question: Parameters<typeof hostProbe>[0]) {
  const { script, parse } = hostProbe(question);
  return parse(
    execFileSync("/bin/sh", { input: script, encoding: "utf8", stdio: ["pipe", "pipe", "ignore"] }),
  );
}

test("the question is understood by a real shell", () => {
  const facts = ask({ dataDirectory: "/etc", dcs: { directory: "/nonexistent", user: "etcd" } });
  expect(facts.architecture).not.toBe("");
  expect(facts.init).not.toBe("");
  expect(facts.data.found).toBe(true);
  expect(facts.dcsFound).toBe(false);
  expect(facts.interfaces).toContain("lo");
  expect(facts.macs).toContain("00:00:00:00:00:00");
  expect(facts.memory).toBeGreaterThan(0);
  expect(facts.cores).toBeGreaterThan(0);
  expect(facts.disk.type).not.toBe("");
  expect(facts.disk.size).toBeGreaterThanOrEqual(facts.disk.free);
  expect(facts.locales).toContain("POSIX");
});

test("a data directory that is not there yet is on the file system of what is above it", () => {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-host-"));
  const facts = ask({ dataDirectory: `${folder}/not/there/yet` });
  expect(facts.disk).toMatchObject({ type: ask({ dataDirectory: folder }).disk.type });
  expect(facts.data.found).toBe(false);
});

test("a link is followed to where it leads, there or not", () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "pgherd-host-")));
  symlinkSync("/etc", join(folder, "link"));
  const { resolved } = ask({
    dataDirectory: join(folder, "link", "pg"),
    dcs: { directory: join(folder, "etcd"), user: "etcd" },
  });
  expect(resolved).toEqual({ data: "/etc/pg", dcs: join(folder, "etcd"), backup: "" });
});

test("packages are told that have brought a directory, or one that it lies in", () => {
  const { packaged } = ask({
    dataDirectory: "/var/lib/dpkg/not/there",
    dcs: { directory: "/srv/etcd", user: "etcd" },
  });
  expect(packaged).toContainEqual({ name: "dpkg", path: "/var/lib/dpkg" });
  expect(packaged).toContainEqual({ name: "dpkg", path: "/var/lib" });
});

test("whose the directory for backups is matters once there is something in it", () => {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-host-"));
  mkdirSync(join(folder, "lost+found"));
  expect(ask({ backupDirectory: folder }).backupOwner).toBe("");
  writeFileSync(join(folder, "a"), "");
  expect(ask({ backupDirectory: folder }).backupOwner).toBe(userInfo().username);
});

test("a directory at the top of a new file system is empty", () => {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-host-"));
  mkdirSync(join(folder, "lost+found"));
  const found = () => {
    const { data, dcsFound } = ask({
      dataDirectory: folder,
      dcs: { directory: folder, user: "etcd" },
    });
    return [data.found, dcsFound];
  };
  expect(found()).toEqual([false, false]);
  writeFileSync(join(folder, "a"), "");
  expect(found()).toEqual([true, true]);
});

test("a version that is none is not run", () => {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-host-"));
  writeFileSync(join(folder, "PG_VERSION"), "../../../../tmp/evil\n");
  expect(ask({ dataDirectory: folder }).data).toEqual({
    found: true,
    version: "",
    systemIdentifier: "",
  });
  writeFileSync(join(folder, "PG_VERSION"), "17\n");
  expect(ask({ dataDirectory: folder }).data.version).toBe("17");
});

test("an address of the loopback is answered for, one that nobody can have is not", () => {
  const facts = ask({ vips: ["127.0.0.1", "255.255.255.255"] });
  expect(facts.answering).toEqual([{ address: "127.0.0.1", mac: "" }]);
});

test("a clock is told in seconds", () => {
  const { script, parse } = clockProbe;
  const time = parse(execFileSync("/bin/sh", { input: script, encoding: "utf8" }));
  expect(Math.abs(time - Date.now() / 1000)).toBeLessThan(5);
});
