import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { candidatesProbe, olderProbe, packagesProbe } from "../../src/facts/packages";

test("installed packages are told with their versions; removed and unknown ones are not", () => {
  const output = `etcd-client installed 3.5.16-4
etcd-server installed 3.5.16-4
haproxy config-files 3.0.11-1+deb13u1
patroni not-installed 
postgresql-17 half-configured 17.6-0+deb13u1
`;
  expect(packagesProbe(["etcd-client"]).parse(output)).toEqual({
    "etcd-client": "3.5.16-4",
    "etcd-server": "3.5.16-4",
  });
});

test("nothing is installed where dpkg knows none of them", () => {
  expect(packagesProbe(["patroni"]).parse("")).toEqual({});
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
