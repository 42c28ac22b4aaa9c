import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { catalogOfBackupsProbe } from "../../src/facts/barman";
import { inForm } from "../../src/facts/forms";
import { claimDatabase, setAsideCopy } from "../../src/operations/adoption";

// What one host answers, and what another one then runs.

test.each([
  ["position", "0/5000060"],
  ["systemIdentifier", "7713342782341295636"],
  ["backup", "20261121T020001"],
] as const)("a %s has its form", (form, answer) => {
  expect(inForm(form, "it", answer)).toBe(answer);
});

test.each([
  ["position", "0/0'; select evil(); --"],
  ["position", "$(id)"],
  ["systemIdentifier", "1\n2"],
  ["systemIdentifier", "7713$(id)"],
  ["systemIdentifier", undefined],
  ["backup", "20261121T020001 --datadir=/etc"],
] as const)("what has not the form of a %s goes no further: %j", (form, answer) => {
  expect(() => inForm(form, "a number", answer)).toThrow(/^expected a number, got /);
});

test("a backup by another name than Barman gives is none", () => {
  const output =
    "backup 20261121T020001\nstatus=DONE\nbackup x --datadir=/etc\nstatus=DONE\nfree=1\nnow=1\n";
  const { backups } = catalogOfBackupsProbe("/home", "/results").parse(output);
  expect(backups.map(({ id }) => id)).toEqual(["20261121T020001"]);
});

const folder = mkdtempSync(join(tmpdir(), "pgherd-forms-"));
for (const [name, text] of [
  ["etcdctl", "cat >/dev/null; echo 17"],
  ["systemctl", "exit 1"],
  // A script that another user is to run comes in as it is.
  ["cat", "[ $# -gt 0 ] || exec /bin/cat; echo postgres"],
  ["ls", "echo something"],
] as const) {
  writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

test.each([
  claimDatabase(["http://10.89.0.11:2379"], "demo", `7713$(touch ${folder}/ran)`),
  setAsideCopy(`${folder}/$(touch ${folder}/ran)`),
])("what a message tells of an answer is text", (script) => {
  writeFileSync(join(folder, "postmaster.pid"), "1\n");
  const input = `PATH=${folder}:$PATH\n${script.replaceAll("[ -e ", "[ -n ")}\n`;
  const { stderr } = spawnSync("sh", ["-s"], { input, encoding: "utf8" });
  expect(stderr).toContain(`$(touch ${folder}/ran)`);
  expect(spawnSync("test", ["-e", `${folder}/ran`]).status).toBe(1);
});
