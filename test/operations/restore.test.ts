import { expect, test } from "vitest";
import type { BaseBackup } from "../../src/facts/barman";
import { chooseBackup, isInHistory, walPlacesProbe } from "../../src/operations/restore";
import { timelinesProbe } from "../../src/operations/timelines";

function backup(id: string, endLsn: string, endedAt: number, timeline = 1): BaseBackup {
  return {
    ...{ id, endLsn, endedAt, timeline, status: "DONE", error: "", beginLsn: "0/1", beganAt: 0 },
    ...{ size: 1, ownSize: 1, tablespaces: false, version: 17, segmentBytes: 2 ** 24 },
  };
}

/** Timeline 2 left timeline 1 at 0/5000000. */
const HISTORY = [{ timeline: 1, lsn: "0/5000000" }];
const backups = [
  backup("20261124T020000", "0/9000000", 400, 1),
  backup("20261123T020000", "0/6000000", 300, 2),
  backup("20261122T020000", "0/4000000", 200),
  backup("20261121T020000", "0/2000000", 100),
];

test.each([
  ["the newest of the database's own history", {}, "20261123T020000"],
  ["the newest before a time", { time: 250 }, "20261122T020000"],
  ["the newest before a position", { lsn: "0/4000000" }, "20261122T020000"],
  ["the oldest where the target is early", { time: 100 }, "20261121T020000"],
  ["none where the target is too early", { time: 99 }, undefined],
])("the backup to begin with is %s", (_what, aim, id) => {
  expect(chooseBackup({ backups }, aim, HISTORY, 2)?.id).toBe(id);
});

test("a backup that the user names must lie before the target too", () => {
  expect(chooseBackup({ backups }, { time: 250 }, HISTORY, 2, "20261121T020000")?.id).toBe(
    "20261121T020000",
  );
  expect(chooseBackup({ backups }, { time: 250 }, HISTORY, 2, "20261123T020000")).toBeUndefined();
});

test("what came after a timeline was left belongs to the database no more", () => {
  expect(isInHistory(HISTORY, 2, 1, "0/5000000")).toBe(true);
  expect(isInHistory(HISTORY, 2, 1, "0/5000001")).toBe(false);
  expect(isInHistory(HISTORY, 2, 2, "0/9000000")).toBe(true);
  expect(isInHistory(HISTORY, 2, 3, "0/1")).toBe(false);
});

test("timelines are read with their histories, as PostgreSQL writes them", () => {
  const { parse } = timelinesProbe("/var/lib/barman/demo");
  const second =
    "timeline 00000002.history 1700000100\n1\t0/5000000\tno recovery target specified\n";
  const third = `timeline 00000003.history 1700000200
1\t0/5000000\tno recovery target specified

2\t1/6000058\tbefore 2026-11-21 14:30:00+00
`;
  const left = { timeline: 1, lsn: "0/5000000" };
  expect(parse(`${second}\n${third}\n${second}\n`)).toEqual([
    { id: 2, begunAt: 1700000100, history: [left] },
    { id: 3, begunAt: 1700000200, history: [left, { timeline: 2, lsn: "1/6000058" }] },
  ]);
});

test("a place in the WAL that two looks have found is one", () => {
  const { parse } = walPlacesProbe("/h", "/b", "000000010000000000000002", { xid: 745 });
  const line = "000000010000000000000003 0/3000028 COMMIT 2026-11-21 14:30:00 UTC\n";
  expect(parse(line + line)).toEqual([
    { timeline: 1, lsn: "0/3000028", text: "COMMIT 2026-11-21 14:30:00 UTC" },
  ]);
});
