import { describe, expect, test } from "vitest";
import type { BackupCatalog, BaseBackup } from "../../src/facts/barman";
import type { Probe } from "../../src/host/host";
import { firstMissing } from "../../src/operations/missing-wal";
import { findRecovery } from "../../src/operations/recovery-window";
import { type RecoveryWish } from "../../src/operations/recovery-wish";
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

/** What pg_waldump finds on each timeline: its last record and commit, and the first commit after a place. */
interface Dumped {
  readonly ends?: { readonly [timeline: number]: string };
  readonly commits?: { readonly [place: string]: string };
}

/** Timeline 2 began at 250. */
const TIMELINES = "timeline 00000002.history 250\n1\t0/5800000\tno recovery target specified\n";

/** Looks for a way on a host that answers with this WAL. */
function find(
  wish: Partial<RecoveryWish>,
  archived = wal(),
  catalog = CATALOG,
  { ends = { 1: "0/5800000", 2: "0/8000100" }, commits = {} }: Dumped = {},
  timelines = TIMELINES,
) {
  const answer = (script: string) => {
    const timeline = Number(/-name '([0-9A-F]{8})\*'/.exec(script)?.[1] ?? 0);
    if (script.includes(".history")) return timelines;
    if (script.includes("segments | sort -r")) return ends[timeline] ?? "";
    const from = /printf '%08X%08X' 0x(\w+) 0x(\w+)/.exec(script);
    return from ? (commits[`${timeline} ${from[1]}/${from[2]}`] ?? "") : archived;
  };
  const observe = <T>({ script, parse }: Probe<T>) => Promise.resolve(parse(answer(script)));
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
    "to a time without a zone",
    { target: { time: "1970-01-01 00:10:00" }, time: NaN },
    {},
    '--target-time: expected a time with its zone, as 2026-11-21 14:30:00Z or 2026-11-21 15:30:00+01, that backups and WAL cover, 1970-01-01 00:01:40Z to 1970-01-01 00:15:00Z, got "1970-01-01 00:10:00".',
  ],
  [
    "to a position beyond what the leader has written",
    { target: { lsn: "FF/FF000000" }, present: 2, until: { time: 900, lsn: "0/8000100" } },
    {},
    "--target-lsn: expected a position that backups and WAL cover, 0/3000028 to 0/8000100 (1970-01-01 00:01:40Z to 1970-01-01 00:15:00Z), got FF/FF000000.",
  ],
  [
    "to a position beyond what was received, where nobody leads",
    { target: { lsn: "0/8000101" } },
    {},
    "0/3000028 to 0/8000100 (",
  ],
  [
    "along a timeline that the archive does not have",
    { target: {}, timeline: 7, timelineBy: "--target-timeline" },
    {},
    "--target-timeline: expected one that backup1 has WAL of, 1, 2, got 7.",
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

describe("after a restore to a place of timeline 1, from where timeline 2 goes on", () => {
  /** Row 2 was committed at 200, after that place; rows of timeline 2 from 260 on. */
  const dumped: Dumped = {
    ends: { 1: "0/5900000 1970-01-01T00:03:40Z", 2: "0/8000100 1970-01-01T00:14:00Z" },
    commits: {
      "1 0/5800000": "1970-01-01T00:03:20.5Z",
      "2 0/5800000": "1970-01-01T00:04:20Z",
    },
  };
  const to = (seconds: number, wish: Partial<RecoveryWish> = {}) =>
    find(
      {
        target: { time: new Date(seconds * 1000).toISOString() },
        ...{ time: seconds, timelineBy: "--target-timeline", ...wish },
      },
      wal(),
      CATALOG,
      dumped,
    );

  test("a time at which the database had more than timeline 2 is refused, with the way to it", async () => {
    expect((await to(210)).refusals).toEqual([
      "--target-time: expected a target that only timeline 2 has, which the database is on, found the last commit before 1970-01-01T00:03:30.000Z on timeline 1, which was left at 0/5800000 on 1970-01-01 00:04:10Z. " +
        "Add --target-timeline 1 for what it had there, or --target-timeline 2 for what timeline 2 has up to the target.",
    ]);
  });

  test.each([
    ["before what was left", 199, {}, 2],
    ["when timeline 2 had begun", 255, {}, 2],
    ["that timeline 1 is named for", 210, { timeline: 1 }, 1],
    ["that timeline 2 is named for", 210, { timeline: 2 }, 2],
  ])("a time %s is gone to", async (_what, seconds, wish, timeline) => {
    expect(await to(seconds, wish)).toMatchObject({ refusals: [], timeline });
  });

  test("a timeline that was left reaches to its last commit", async () => {
    expect((await to(230, { timeline: 1 })).refusals.join()).toContain(
      "1970-01-01 00:01:40Z to 1970-01-01 00:03:40Z, got 1970-01-01 00:03:50Z.",
    );
  });

  test("a position that both have is refused until one is named", async () => {
    const at = (wish: Partial<RecoveryWish>) =>
      find({ timelineBy: "--target-timeline", ...wish }, wal(), CATALOG, dumped);
    const target = { lsn: "0/5850000" };
    expect((await at({ target })).refusals.join()).toContain(
      "found position 0/5850000 on timeline 1, which was left at 0/5800000",
    );
    expect(await at({ target, timeline: 1 })).toMatchObject({ refusals: [], timeline: 1 });
    expect(await at({ target, timeline: 2 })).toMatchObject({ refusals: [], timeline: 2 });
    expect(await at({ target: { lsn: "0/5800000" } })).toMatchObject({ refusals: [] });
  });

  test("a name that only what was left has is found there", async () => {
    const { refusals } = await find(
      { target: { name: "before_it" }, timelineBy: "--target-timeline" },
      "000000010000000000000005 0/5810000 RESTORE_POINT before_it\n",
      CATALOG,
      dumped,
    );
    expect(refusals.join()).toContain('found the point "before_it" on timeline 1');
  });

  test("a timeline whose history has come late counts from its first commit", async () => {
    const late = TIMELINES.replace("250", "800");
    const found = await find({ time: 300, target: { time: "-" } }, wal(), CATALOG, dumped, late);
    expect(found.refusals).toEqual([]);
  });
});
