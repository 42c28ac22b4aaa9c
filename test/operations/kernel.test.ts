import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { setKernel } from "../../src/operations/kernel";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pgherd-kernel-"));
  mkdirSync(join(folder, "proc/sys/vm"), { recursive: true });
  mkdirSync(join(folder, "sys/kernel/mm/transparent_hugepage"), { recursive: true });
});

/** As the hosts run it, on files that stand for the kernel's. */
function sh(settings: { [setting: string]: string }) {
  const script = setKernel(settings).replace(/>(\/(proc|sys)\/)/g, `>${folder}$1`);
  return spawnSync("/bin/sh", { input: `set -e\n${script}\necho done\n`, encoding: "utf8" });
}

const content = (path: string) => readFileSync(join(folder, path), "utf8");

test("settings are written where the kernel has them", () => {
  writeFileSync(join(folder, "proc/sys/vm/swappiness"), "60\n");
  const { stdout, stderr } = sh({ transparent_hugepage: "never", "vm.swappiness": "1" });
  expect([stdout, stderr]).toEqual(["done\n", ""]);
  expect(content("proc/sys/vm/swappiness")).toBe("1\n");
  expect(content("sys/kernel/mm/transparent_hugepage/enabled")).toBe("never\n");
});

test("a setting that the kernel does not take is named, and ends the run", () => {
  const { status, stdout, stderr } = sh({ "wm.swappiness": "1", "vm.swappiness": "1" });
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(
    'wm.swappiness: expected the kernel to take "1" in /proc/sys/wm/swappiness, got an error. ' +
      "Mend or remove it in pgherd:cluster.system.\n",
  );
});

test("a value that the kernel refuses is named too", () => {
  // Always full: every write fails as one of a wrong value does.
  const script = setKernel({ "vm.swappiness": "much" }).replace(
    ">/proc/sys/vm/swappiness",
    ">/dev/full",
  );
  const { status, stderr } = spawnSync("/bin/sh", { input: script, encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^vm\.swappiness: expected the kernel to take "much"/);
});

test("no settings are nothing to do", () => {
  expect(sh({}).stdout).toBe("done\n");
});
