import { expect, test } from "vitest";
import type { BackupCatalog, BaseBackup } from "../../src/facts/barman";
import type { Probe } from "../../src/host/host";
import {
  findRecovery,
  firstMissing,
  type RecoveryWish,
} from "../../src/operations/recovery-window";
import { segmentAt, segmentStart, walProbe } from "../../src/operations/wal";

const HOME = "/var/lib/barman/orders";

/** Timeline 2 left timeline 1 in the middle of segment 5. */
const HISTORY = [{ timeline: 1, lsn: "0/5800000" }];

function backup(id: string, beginLsn: string, endedAt: number, timeline = 1): BaseBackup {
  return {
    ...{ id, beginLsn, endLsn: beginLsn, endedAt, timeline, status: "DONE", error: "" },
    ...{ beganAt: 0, size: 1, ownSize: 1, tablespaces: false, version: 17 },
    segmentBytes: 2 ** 24,
  };
}

const BACKUPS = [
  backup("20261122T020000", "0/6000028", 300, 2),
  backup("20261121T020000", "0/3000028", 100),
];

/** Segment 3 was written to last at 130, and so on; the last one is still being received. */
function wal(...without: string[]) {
  const names = ["03", "04", "05", "06"].map((one) => `0000000100000000000000${one}`);
  const next = ["05", "06", "07"].map((one) => `0000000200000000000000${one}`);
  return [...names, ...next, "000000020000000000000008.partial"]
    .filter((name) => !without.includes(name))
    .map((name) => `${name} ${parseInt(name.slice(22, 24), 16) * 10 + 100}.5`)
    .join("\n");
}

const CATALOG: BackupCatalog = {
  ...{
    backups: BACKUPS,
    taking: false,
    gaps: [],
    free: 1,
    verifications: [],
    active: [],
    failed: [],
  },
  ...{ nextBackupAt: 0, now: 1000, receiving: { segment: "000000020000000000000008", at: 900 } },
};

/** Looks for a way on a host that answers with this WAL. */
function find(wish: Partial<RecoveryWish>, archived = wal(), catalog = CATALOG) {
  const history = "1\t0/5800000\tno recovery target specified\n";
  const observe = <T>({ script, parse }: Probe<T>) =>
    Promise.resolve(parse(script.includes(".history") ? history : archived));
  const archive = { host: "backup1", home: HOME, binDirectory: "/bin", catalog };
  return findRecovery(archive, { target: {}, saidBy: "--target-", ...wish }, observe);
}

test("everything there is begins with the newest backup, and must come to the last whole segment", async () => {
  const found = await find({});
  expect(found.backup?.id).toBe("20261122T020000");
  expect(found).toMatchObject({ end: { timeline: 2, lsn: "0/7000000" }, refusals: [] });
});

test.each([
  [
    "without any backup",
    { target: {} },
    { backups: [] },
    "backup1: expected a complete backup in /var/lib/barman/orders, found none.",
  ],
  [
    "to a time before the first backup",
    { target: { time: "1970-01-01 00:01:00Z" }, time: 60 },
    {},
    "--target-time: expected a time that backups and WAL cover, 1970-01-01 00:01:40Z to 1970-01-01 00:15:00Z, got 1970-01-01 00:01:00Z.",
  ],
  [
    "to a time after the last WAL",
    { target: { time: "1970-01-01 00:16:00Z" }, time: 960 },
    {},
    "got 1970-01-01 00:16:00Z.",
  ],
  [
    "from a backup that ended later",
    { target: { time: "1970-01-01 00:03:20Z" }, time: 200, backup: "20261122T020000" },
    {},
    'expected a complete backup from before the last commit before 1970-01-01 00:03:20Z, got "20261122T020000".',
  ],
])("nothing is restored %s", async (_what, wish, catalog, refusal) => {
  const { refusals } = await find(wish, wal(), { ...CATALOG, ...catalog });
  expect(refusals.join()).toContain(refusal);
});

test("a missing segment stops what comes after it, and nothing else", async () => {
  const without = wal("000000020000000000000007");
  const [refusal] = (await find({}, without)).refusals;
  expect(refusal).toBe(
    "backup1: expected all WAL since backup 20261122T020000 in /var/lib/barman/orders, found no 000000020000000000000007. " +
      "What was committed until about 1970-01-01 00:02:40Z can be restored: give that as the target's time.",
  );
  const before = { target: { lsn: "0/6FFFFFF" } };
  expect((await find(before, without)).refusals).toEqual([]);
  expect((await find({ target: { lsn: "0/7000000" } }, without)).refusals).toHaveLength(1);
});

test("a timeline is read up to the segment in which it was left", () => {
  const files = (without: string) => walProbe(HOME, "").parse(wal(without));
  const [, first] = BACKUPS as [BaseBackup, BaseBackup];
  const missing = (name: string) => firstMissing(files(name), first, HISTORY, 2)?.segment;
  expect(missing("")).toBeUndefined();
  expect(missing("000000010000000000000004")).toBe("000000010000000000000004");
  // What was written of timeline 1 after it was left is not needed, nor is its half of segment 5.
  expect(missing("000000010000000000000005")).toBeUndefined();
  expect(missing("000000010000000000000006")).toBeUndefined();
  expect(missing("000000020000000000000005")).toBe("000000020000000000000005");
});

test.each([
  [2 ** 20, "00000003000000A100000FF0", 0xa1ff000000n],
  [2 ** 24, "00000003000000A1000000FF", 0xa1ff000000n],
  [2 ** 30, "00000003000000A100000003", 0xa1c0000000n],
])("a segment of %d bytes tells by its name where it begins", (bytes, name, start) => {
  expect(segmentAt(3, "A1/FF000060", bytes)).toBe(name);
  expect(segmentStart(name, bytes)).toBe(start);
});

test("WAL in segments of 1 MB is looked through segment by segment", async () => {
  const small = BACKUPS.slice(0, 1).map((one) => ({ ...one, segmentBytes: 2 ** 20 }));
  const archived = ["60", "61", "62", "63.partial"].map(
    (name, i) => `0000000200000000000000${name} ${i * 10 + 300}`,
  );
  const catalog = { ...CATALOG, backups: small };
  expect(await find({}, archived.join("\n"), catalog)).toMatchObject({
    ...{ end: { timeline: 2, lsn: "0/6200000" }, refusals: [] },
  });
  const { refusals } = await find({}, [archived[0], archived[2]].join("\n"), catalog);
  expect(refusals.join()).toContain("found no 000000020000000000000061.");
});
