import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { apt } from "../../src/distributions/apt";

const { candidatesProbe, installedProbe, lockHolderProbe, olderProbe } = apt;

test("installed packages are told with their versions; removed and unknown ones are not", () => {
  const output = `etcd-client installed 3.5.16-4
etcd-server installed 3.5.16-4
haproxy config-files 3.0.11-1+deb13u1
patroni not-installed 
postgresql-17 half-configured 17.6-0+deb13u1
`;
  expect(installedProbe(["etcd-client"]).parse(output)).toEqual({
    "etcd-client": "3.5.16-4",
    "etcd-server": "3.5.16-4",
  });
});

test("nothing is installed where dpkg knows none of them", () => {
  expect(installedProbe(["patroni"]).parse("")).toEqual({});
});

test("candidates are what could be installed", () => {
  const output = `patroni:
  Installed: (none)
  Candidate: 4.0.4-8
  Version table:
     4.0.4-8 500
        500 http://mirror.example/debian trixie/main amd64 Packages
postgresql-16:
  Installed: (none)
  Candidate: (none)
  Version table:
postgresql-17:
  Installed: 17.6-0+deb13u1
  Candidate: 17.6-0+deb13u1
  Version table:
 *** 17.6-0+deb13u1 500
        500 http://mirror.example/debian trixie/main amd64 Packages
        100 /var/lib/dpkg/status
`;
  expect(
    candidatesProbe(["patroni", "postgresql-16", "postgresql-17", "none"]).parse(output),
  ).toEqual({ patroni: "4.0.4-8", "postgresql-17": "17.6-0+deb13u1" });
});

test("older packages are told by dpkg's own comparison, which knows epochs and tildes", () => {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-dpkg-"));
  const has = { haproxy: "3.0.11-1~rc1", keepalived: "1:2.3.3-1", curl: "8.14.1-2" };
  for (const [name, version] of Object.entries(has)) writeFileSync(join(folder, name), version);
  // Prints the version of the package that is asked for last.
  writeFileSync(join(folder, "dpkg-query"), `#!/bin/sh\nshift 3\ncat "${folder}/$1"\n`);
  chmodSync(join(folder, "dpkg-query"), 0o755);
  const { script, parse } = olderProbe({
    haproxy: "3.0.11-1",
    keepalived: "2.4.0-1",
    curl: "8.14.1-2",
    absent: "1",
  });
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
  const said = execFileSync("/bin/sh", { input: script, encoding: "utf8", env, stdio: "pipe" });
  expect(parse(said)).toEqual(["haproxy"]);
});

test("who holds a lock as dpkg and apt do is told with his command, and one who only has the file open is not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-locks-"));
  const locks = [join(folder, "lists"), join(folder, "lock-frontend")];
  for (const path of locks) writeFileSync(path, "");
  const { script, parse } = lockHolderProbe(locks);
  const look = () => parse(execFileSync("/bin/sh", { input: script, encoding: "utf8" }));
  expect(look()).toBeUndefined();
  const hold = `import fcntl, sys
other = open(sys.argv[1], "w")
held = open(sys.argv[2], "w")
fcntl.lockf(held, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()`;
  const holder = spawn("python3", ["-c", hold, ...locks], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    await once(holder.stdout, "data");
    expect(look()).toMatchObject({ lock: locks[1], pid: holder.pid });
    expect(look()?.command).toMatch(/python3 -c import fcntl/);
  } finally {
    holder.kill();
  }
  await once(holder, "exit");
  expect(look()).toBeUndefined();
});
