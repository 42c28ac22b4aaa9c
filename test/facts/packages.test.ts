import { expect, test } from "vitest";
import { candidatesProbe, packagesProbe } from "../../src/facts/packages";

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
        500 http://deb.debian.org/debian trixie/main amd64 Packages
postgresql-16:
  Installed: (none)
  Candidate: (none)
  Version table:
postgresql-17:
  Installed: 17.6-0+deb13u1
  Candidate: 17.6-0+deb13u1
  Version table:
 *** 17.6-0+deb13u1 500
        500 http://deb.debian.org/debian trixie/main amd64 Packages
        100 /var/lib/dpkg/status
`;
  expect(
    candidatesProbe(["patroni", "postgresql-16", "postgresql-17", "none"]).parse(output),
  ).toEqual({ patroni: "4.0.4-8", "postgresql-17": "17.6-0+deb13u1" });
});
