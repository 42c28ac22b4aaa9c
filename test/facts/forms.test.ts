import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { catalogOfBackupsProbe } from "../../src/facts/barman";
import { dcsAt } from "../../src/dcs/dcs";
import { claimDatabase } from "../../src/dcs/patroni";
import { inForm } from "../../src/facts/forms";
import { setAsideCopy } from "../../src/migration/operations/left-copy";
import { asRoot } from "../users";

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
const HOSTILE = `$(touch ${folder}/ran)`;
for (const [name, text] of [
  ["curl", `cat >/dev/null; echo '{"header":{},"kvs":[{"value":"MTc="}]}'`],
  ["systemctl", "exit 1"],
  // A script that is to be run comes in as it is; every process is called postgres.
  ["cat", "[ $# -gt 0 ] || exec /bin/cat; echo postgres"],
] as const) {
  writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

/** What a script says on its standard error, with these programs. */
function said(script: string): string {
  return spawnSync("sh", ["-s"], { input: `PATH=${folder}:$PATH\n${script}\n`, encoding: "utf8" })
    .stderr;
}

test("what a message tells of another database is text", () => {
  expect(
    said(claimDatabase(dcsAt({ endpoints: ["http://10.89.0.11:2379"] }), "demo", `7713${HOSTILE}`)),
  ).toContain(HOSTILE);
  expect(existsSync(join(folder, "ran"))).toBe(false);
});

test.runIf(asRoot)("what a message tells of a directory is text", () => {
  const data = join(folder, HOSTILE);
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, "postmaster.pid"), "1\n");
  expect(said(setAsideCopy(data, { systemIdentifier: "7713", tablespaces: [] }))).toContain(
    HOSTILE,
  );
  expect(existsSync(join(folder, "ran"))).toBe(false);
});
