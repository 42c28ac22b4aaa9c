import { execFileSync, spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { catalogOfBackupsProbe } from "../../src/facts/barman";
import { render } from "../../src/plan/template";

// What a test restore takes from the backups, and what is written down of it, with the real scripts.

const temporary = () => mkdtempSync(join(tmpdir(), "pgherd-test-restore-"));

/** Runs what writes the record down, on what a test restore has left in its folder. */
function recorded(
  left: Readonly<Record<string, string>>,
  result = "success",
  prepare?: (scratch: string) => void,
) {
  const folder = temporary();
  const [scratch, results, metrics] = ["scratch", "results", "metrics"].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  for (const one of [scratch, results, metrics]) mkdirSync(one);
  for (const [name, text] of Object.entries(left)) writeFileSync(join(scratch, name), text);
  prepare?.(scratch);
  const script = join(folder, "verified");
  writeFileSync(script, render("barman/verified.py", {}));
  const env = { ...process.env, SERVICE_RESULT: result };
  execFileSync("python3", ["-I", script, "demo", scratch, results, "2", metrics], { env });
  const files = readdirSync(results);
  const lines = files.map(
    (name) => `verified=${name} ${readFileSync(join(results, name), "utf8")}`,
  );
  const catalog = catalogOfBackupsProbe("/h", results).parse(`${lines.join("")}now=5\n`);
  return {
    record: catalog.verifications[0],
    gauges: readFileSync(join(metrics, "verify.prom"), "utf8"),
  };
}

const GOOD = {
  ...{ started: "1795237200\n", backup: "20261121T020001\n" },
  ...{ bytes: "23456789\n", restored: "12\n" },
};

test("a test restore in order is recorded with what it found", () => {
  const { record, gauges } = recorded(GOOD);
  expect(record).toMatchObject({
    ...{ backup: "20261121T020001", ok: true, problem: "", startedAt: 1795237200 },
    ...{ restoreSeconds: 12, bytes: 23456789 },
  });
  expect(gauges).toContain('pgherd_backup_verify_ok{cluster="demo"} 1\n');
});

test("whatever stands in a complaint, its record can be read, and says that the test restore failed", () => {
  const problem = 'app: FEHLER: "caf\u00e9" \\ \u0001\u001b[31m\u0000\r\n\tand "so on"}';
  const { record, gauges } = recorded({ ...GOOD, problem }, "exit-code");
  expect(record).toMatchObject({ ok: false, backup: "20261121T020001" });
  expect(record?.problem).toMatch(/^app: FEHLER: "café" \\ .*and "so on"}$/);
  expect(gauges).toContain('pgherd_backup_verify_ok{cluster="demo"} 0\n');
});

test.each([
  ["oom-kill", "it was killed for want of memory"],
  ["signal", "it was stopped"],
])("one that ended by %s is recorded as failed", (result, problem) => {
  expect(recorded(GOOD, result).record).toMatchObject({ ok: false, problem });
});

test("what a restored database may have made of the files says nothing but what belongs there", () => {
  const secret = join(temporary(), "passwords");
  writeFileSync(secret, "SECRET");
  const hostile = { started: "99999999999999\n", backup: "../x\n", bytes: "1e9; rm\n" };
  const { record } = recorded({ ...GOOD, ...hostile }, "exit-code", (scratch) => {
    symlinkSync(secret, join(scratch, "problem"));
  });
  expect(record).toMatchObject({ backup: "", bytes: 0, problem: "it was stopped" });
  expect(record?.startedAt).toBeLessThanOrEqual(Date.now() / 1000);
});

test("tablespaces are copied with the data, which finds them where they are then", () => {
  const folder = temporary();
  const [home, scratch] = [join(folder, "demo"), join(folder, "scratch")];
  const [door, base] = [join(folder, "door"), join(home, "base/20261121T020000")];
  writeFileSync(door, render("barman/read-backups.sh", {}));
  const PLACES = ["data/global", "16400/PG_17_202406281/5", "meta"];
  for (const one of PLACES) mkdirSync(join(base, one), { recursive: true });
  for (const one of ["streaming", "wals"]) mkdirSync(join(home, one));
  mkdirSync(scratch);
  writeFileSync(
    join(base, "backup.info"),
    `status=DONE\ntablespaces=[('fast one', 16400, "/srv/it's fast")]\ntimeline=1\nend_xlog=0/4000100\nbegin_wal=000000010000000000000004\n`,
  );
  writeFileSync(join(base, "16400/PG_17_202406281/5/16401"), "x".repeat(1000));
  writeFileSync(join(home, "streaming/000000010000000000000004.partial"), "WAL");
  const script = join(folder, "copy");
  writeFileSync(script, render("barman/verify-copy.sh", { home, scratch, readBackups: door }));
  const { status, stderr } = spawnSync("bash", [script], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  const found = join(scratch, "data/pg_tblspc/16400/PG_17_202406281/5/16401");
  expect(readFileSync(found, "utf8")).toBe("x".repeat(1000));
  expect(Number(readFileSync(join(scratch, "bytes"), "utf8"))).toBeGreaterThan(1000);
  expect(readdirSync(join(scratch, "tablespaces"))).toEqual(["16400"]);
});

test("the newest backup is copied with all WAL from its beginning on, of each timeline, and nothing of it changes", () => {
  const folder = temporary();
  const [home, scratch] = [join(folder, "demo"), join(folder, "scratch")];
  const door = join(folder, "door");
  writeFileSync(door, render("barman/read-backups.sh", {}));
  const wals = [
    "0000000100000000/00000001000000000000000",
    "0000000200000000/00000002000000000000000",
  ];
  for (const one of [
    "base/20261121T020000/data",
    "streaming",
    "wals/0000000100000000",
    "wals/0000000200000000",
  ]) {
    mkdirSync(join(home, one), { recursive: true });
  }
  mkdirSync(scratch);
  writeFileSync(join(scratch, "left-over"), "");
  writeFileSync(join(home, "base/20261121T020000/data/PG_VERSION"), "17\n");
  writeFileSync(
    join(home, "base/20261121T020000/backup.info"),
    "status=DONE\ntablespaces=None\ntimeline=1\nend_xlog=0/4000100\nbegin_wal=000000010000000000000004\n",
  );
  for (const name of ["3", "4", "5"]) writeFileSync(join(home, `wals/${wals[0]}${name}`), "WAL");
  writeFileSync(join(home, `wals/${wals[1]}5`), "WAL");
  writeFileSync(
    join(home, "wals/00000002.history"),
    "1\t0/5000000\tno recovery target specified\n",
  );
  writeFileSync(join(home, "streaming/000000020000000000000006.partial"), "WAL");
  const script = join(folder, "copy");
  writeFileSync(script, render("barman/verify-copy.sh", { home, scratch, readBackups: door }));
  const { status, stderr } = spawnSync("bash", [script], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  const copied = execFileSync("find", ["barman", "-type", "f"], { cwd: scratch, encoding: "utf8" });
  expect(copied.trim().split("\n").sort()).toEqual(
    [
      "barman/streaming/000000020000000000000006.partial",
      "barman/wals/00000002.history",
      `barman/wals/${wals[0]}4`,
      `barman/wals/${wals[0]}5`,
      `barman/wals/${wals[1]}5`,
    ].sort(),
  );
  expect(readdirSync(scratch)).not.toContain("left-over");
  expect(readFileSync(join(scratch, "last"), "utf8")).toBe("000000020000000000000005\n");
  expect(readFileSync(join(scratch, "data/PG_VERSION"), "utf8")).toBe("17\n");
});
