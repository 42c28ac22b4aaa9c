import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { render } from "../../src/plan/template";

// What a database host may ask for on the backup host, with the real script and files such as Barman makes.

const folder = mkdtempSync(join(tmpdir(), "pgherd-door-"));
const home = join(folder, "orders");
const door = join(folder, "door");
writeFileSync(door, render("barman/read-backups.sh", {}));
for (const one of ["base", "wals/0000000100000000", "streaming"]) {
  mkdirSync(join(home, one), { recursive: true });
}

function backup(id: string, fields: Readonly<Record<string, string | number>>) {
  mkdirSync(join(home, "base", id));
  const all = { status: "DONE", tablespaces: "None", ...fields };
  const lines = Object.entries(all).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(home, "base", id, "backup.info"), lines.join(""));
}

backup("20261120T020000", {
  ...{ timeline: 1, end_xlog: "0/3000000", end_time: "2026-11-20 02:00:10+00:00" },
});
// After it the cluster was brought back to a moment before it: timeline 2 has nothing of it.
backup("20261121T020000", {
  ...{ timeline: 1, end_xlog: "0/9000000", end_time: "2026-11-21 02:00:10+00:00" },
});
backup("20261122T020000", { timeline: 2, status: "FAILED" });
writeFileSync(join(home, "wals/00000002.history"), "1\t0/5000000\tbefore 2026-11-20 12:00:00\n");
writeFileSync(join(home, "wals/0000000100000000/000000010000000000000003"), "plain WAL");
const whole = execFileSync("gzip", ["-c"], { input: "compressed WAL, which is longer than this" });
writeFileSync(join(home, "wals/0000000100000000/000000010000000000000004"), whole);
writeFileSync(
  join(home, "wals/0000000100000000/000000010000000000000005"),
  whole.subarray(0, whole.length - 12),
);
writeFileSync(join(home, "streaming/000000010000000000000006"), "received in full");
writeFileSync(join(home, "streaming/000000010000000000000007.partial"), "still being received");
writeFileSync(
  join(home, "wals/0000000100000000/000000010000000000000008.partial"),
  "left before its end",
);

function ask(command: string) {
  const env = { ...process.env, SSH_ORIGINAL_COMMAND: command };
  const { status, stdout, stderr } = spawnSync("sh", [door, home], { env, encoding: "utf8" });
  return { status, said: (status === 0 ? stdout : stderr).trim() };
}

test.each([
  ["newest", "20261120T020000"],
  ["newest 1795267800", "20261120T020000"],
  ["newest 0/4000000", "20261120T020000"],
  ["choose 2", "20261120T020000"],
  ["choose 1", "20261121T020000"],
  ["wal 000000010000000000000003", "plain WAL"],
  ["wal 000000010000000000000004", "compressed WAL, which is longer than this"],
  ["wal 000000010000000000000006", "received in full"],
  ["any-wal 000000010000000000000004", "compressed WAL, which is longer than this"],
  ["any-wal 000000010000000000000007", "still being received"],
  ["any-wal 000000010000000000000008", "left before its end"],
])("%s is answered by what belongs to the database's history", (command, answer) => {
  expect(ask(command)).toEqual({ status: 0, said: answer });
});

test.each([
  ["newest 1700000000", 66, "pgherd: there is no backup from before 1700000000"],
  // A member's own may be longer.
  ["wal 000000010000000000000007", 66, "pgherd: there is no 000000010000000000000007"],
  ["wal 000000010000000000000008", 66, "pgherd: there is no 000000010000000000000008"],
  ["any-wal 000000010000000000000009", 66, "pgherd: there is no 000000010000000000000009"],
  ["wal ../../../etc/passwd", 64, "pgherd: expected the name of a WAL file"],
  ["backup 20261122T020000", 66, "pgherd: there is no complete backup 20261122T020000"],
  ["rm -rf /", 64, "pgherd: this key is for reading backups only"],
])("%s is refused with %i", (command, status, said) => {
  expect(ask(command)).toEqual({ status, said });
});

test("a damaged file is not taken for one that is not there", () => {
  const { status, said } = ask("wal 000000010000000000000005");
  expect(status).toBe(65);
  expect(said).toContain("pgherd: 000000010000000000000005 is damaged");
});
