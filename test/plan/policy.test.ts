import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readStack } from "../../src/cli/stack";
import { planHosts } from "../../src/plan/hosts";

const [host] = planHosts(readStack("lab"));
const policy = host?.files["/usr/sbin/policy-rc.d"]?.content ?? "";

/** What Debian's tools are told. @param want what dpkg is to do with the package. */
function asked(args: string[], { want = "install", installing = "" } = {}): number | null {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-policy-"));
  writeFileSync(join(folder, "dpkg-query"), `#!/bin/sh\necho ${want}\n`, { mode: 0o755 });
  writeFileSync(join(folder, "installing"), installing);
  const input = policy.replaceAll("/run/pgherd", folder);
  return spawnSync("/bin/sh", ["-s", "--", ...args], {
    input,
    env: { PATH: `${folder}:${process.env.PATH}` },
  }).status;
}

test("no package starts or restarts what the cluster runs, by whichever of its names", () => {
  for (const unit of ["patroni", "patroni.service", "etcd.service", "haproxy", "keepalived"]) {
    for (const action of ["start", "restart", "reload", "stop"]) {
      expect(asked([unit, action]), `${unit} ${action}`).toBe(101);
    }
  }
  expect(asked(["--quiet", "patroni", "restart", "5"])).toBe(101);
});

test("other packages' services go on as ever", () => {
  expect(asked(["cron.service", "restart"])).toBe(0);
  expect(asked(["patronix", "restart"])).toBe(0);
});

test("a package that somebody removes takes its daemon along", () => {
  expect(asked(["patroni", "stop"], { want: "deinstall" })).toBe(0);
  expect(asked(["etcd.service", "stop"], { want: "purge" })).toBe(0);
});

test("nothing is started while pgherd installs packages, and a run that was cut off is none", () => {
  expect(asked(["cron", "start"], { installing: `${process.pid}\n` })).toBe(101);
  expect(asked(["cron", "start"], { installing: "999999999\n" })).toBe(0);
});
