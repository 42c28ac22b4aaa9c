import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { catalogOfBackupsProbe, failedChecksProbe } from "../../src/facts/barman";
import { strict } from "../../src/host/shell";

const probe = catalogOfBackupsProbe("/var/lib/barman/demo", "/var/lib/pgherd/verified-demo");

test("Barman's records are read as they stand, the newest backup first", () => {
  const found = probe.parse(`backup 20261121T020001
status=DONE
begin_time=2026-11-21 02:00:01.123456+00:00
end_time=2026-11-21 02:00:09.5+00:00
timeline=1
begin_xlog=0/4000028
end_xlog=0/4000158
size=23456789
deduplicated_size=1234
xlog_segment_size=1048576
error=None
tablespaces=None
backup 20261122T020001
status=FAILED
error=failure copying (ssh)
begin_time=2026-11-22 02:00:01+00:00
receiving=000000010000000000000007 1795400000
gap=2026-11-21T12:00:00Z 000000010000000000000005
free=1000000000
verified=20261121T050002Z.json {"backup":"20261121T020001","ok":true,"problem":"","startedAt":1,"endedAt":2,"restoreSeconds":1,"bytes":9}
active=pgherd-barman.service
next=1795500000
now=1795400005
`);
  expect(found.backups.map(({ id, status }) => [id, status])).toEqual([
    ["20261122T020001", "FAILED"],
    ["20261121T020001", "DONE"],
  ]);
  expect(found.backups[1]).toMatchObject({
    endedAt: Date.parse("2026-11-21T02:00:09Z") / 1000,
    endLsn: "0/4000158",
    timeline: 1,
    ownSize: 1234,
    segmentBytes: 2 ** 20,
    error: "",
    tablespaces: false,
  });
  expect(found.receiving).toEqual({ segment: "000000010000000000000007", at: 1795400000 });
  expect(found).toMatchObject({
    gaps: ["2026-11-21T12:00:00Z 000000010000000000000005"],
    free: 1000000000,
    active: ["pgherd-barman.service"],
    nextBackupAt: 1795500000,
  });
  expect(found.verifications[0]?.ok).toBe(true);
});

test.each([
  ["is being taken while Barman holds its lock", "taking=yes\n", "STARTED", ""],
  ["was cut off where nobody takes it any more", "", "FAILED", "it was cut off"],
])("a backup without an end %s", (_what, lock, status, error) => {
  const [found] = probe.parse(`backup 20261121T020001\nstatus=STARTED\n${lock}now=5\n`).backups;
  expect(found).toMatchObject({ status, error });
});

test("a backup whose record tells of no other size has WAL segments of 16 MB, as Barman reads it", () => {
  const [found] = probe.parse("backup 20261121T020001\nstatus=DONE\nnow=5\n").backups;
  expect(found?.segmentBytes).toBe(2 ** 24);
});

test.each([
  ["a control character in it", '{"backup":"20261121T020001","ok":true,"problem":"\u001b[0m"}'],
  ["nothing in it, as on a full disk", ""],
  ["half of it", '{"backup":"20261121T020001","ok":tr'],
  ["another shape", '{"ok":true}'],
])("a test restore's record with %s is one of a failed test restore", (_what, record) => {
  const good = { backup: "20261114T020001", ok: true, problem: "", startedAt: 1, endedAt: 2 };
  const before = JSON.stringify({ ...good, restoreSeconds: 1, bytes: 9 });
  const { verifications } = probe.parse(
    `verified=20261121T050000Z.json ${record}\nverified=20261114T050000Z.json ${before}\nnow=5\n`,
  );
  expect(verifications[0]).toMatchObject({
    ...{ ok: false, problem: "its record 20261121T050000Z.json cannot be read" },
    endedAt: Date.parse("2026-11-21T05:00:00Z") / 1000,
  });
  expect(verifications[1]?.ok).toBe(true);
});

test.each([
  ["nothing in its record", ""],
  ["something else in its record", "status=DON\n"],
])("a backup with %s has failed", (_what, record) => {
  const [found] = probe.parse(`backup 20261121T020001\n${record}free=1\nnow=5\n`).backups;
  expect(found).toMatchObject({ status: "FAILED", error: "its record cannot be read" });
});

test("a backup host without a backup is no error", () => {
  const found = probe.parse("free=1\nnext=\nnow=5\n");
  expect([found.backups, found.receiving, found.nextBackupAt]).toEqual([[], undefined, 0]);
});

test("Barman's failed checks are told with their reason", () => {
  const { parse } = failedChecksProbe("demo");
  expect(parse("Server demo:\n\tPostgreSQL: OK\n\tssh: FAILED (Connection failed)\n")).toEqual([
    "ssh (Connection failed)",
  ]);
  expect(parse("Server demo:\n\tPostgreSQL: OK\n")).toEqual([]);
  expect(parse("ERROR: Unknown server 'demo'\n")).toEqual(["ERROR: Unknown server 'demo'"]);
});

test("a backup that failed before there were data of it is one of the backups, with its reason", () => {
  const home = join(mkdtempSync(join(tmpdir(), "pgherd-barman-")), "demo");
  const record = (status: string, error: string) => `status=${status}\nerror=${error}\n`;
  mkdirSync(join(home, "base/20261121T020001"), { recursive: true });
  mkdirSync(join(home, "base/20261122T020001"), { recursive: true });
  mkdirSync(join(home, "meta"));
  // Barman 3.13 keeps the record apart from the data, older ones beside them.
  writeFileSync(join(home, "base/20261121T020001/backup.info"), record("DONE", "None"));
  writeFileSync(join(home, "meta/20261122T020001-backup.info"), record("DONE", "None"));
  writeFileSync(
    join(home, "meta/20261123T020001-backup.info"),
    record("FAILED", "failure detecting data directory (canceling statement)"),
  );
  const probe = catalogOfBackupsProbe(home, join(home, "none"));
  const asked = spawnSync("/bin/sh", { input: strict(probe.script), encoding: "utf8" });
  expect(asked.status, asked.stderr).toBe(0);
  expect(
    probe.parse(asked.stdout).backups.map(({ id, status, error }) => [id, status, error]),
  ).toEqual([
    ["20261123T020001", "FAILED", "failure detecting data directory (canceling statement)"],
    ["20261122T020001", "DONE", ""],
    ["20261121T020001", "DONE", ""],
  ]);
});
