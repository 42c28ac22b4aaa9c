import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fullDisksProbe } from "../../src/facts/full-disk";
import { MEMBER_FILE } from "../../src/roles/patroni";

/** What the probe finds where less than this many bytes are called full. */
function look(memberFile: string, least: number) {
  const script = fullDisksProbe.script.replace(
    `${MEMBER_FILE} 16777216`,
    `'${memberFile}' ${least}`,
  );
  expect(script).not.toContain(MEMBER_FILE);
  return fullDisksProbe.parse(execFileSync("sh", ["-c", script], { encoding: "utf8" }));
}

test("each file system that a member's data is on is told once, by what of the data is on it", () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "pgherd-")));
  const data = join(folder, "it's main");
  mkdirSync(join(data, "pg_tblspc"), { recursive: true });
  mkdirSync(join(data, "pg_wal"));
  symlinkSync("/proc", join(data, "pg_tblspc", "16393"));
  symlinkSync("/nowhere", join(data, "pg_tblspc", "16394"));
  const memberFile = join(folder, "10-member.yml");
  writeFileSync(memberFile, `postgresql:\n  data_dir: ${JSON.stringify(data)}\n`);
  expect(look(memberFile, 2 ** 60)).toEqual([
    { of: data, mount: expect.any(String), free: expect.any(Number), noFiles: false },
    { of: join(data, "pg_tblspc/16393"), mount: "/proc", free: 0, noFiles: false },
  ]);
  expect(look(memberFile, 0)).toEqual([]);
});

test("a host without a member's configuration has nothing that is full", () => {
  expect(look(join(mkdtempSync(join(tmpdir(), "pgherd-")), "none.yml"), 2 ** 60)).toEqual([]);
});
