import { expect, test } from "vitest";
import { BACKUP_UNITS, type BackupCatalog, type BaseBackup } from "../../src/facts/barman";
import { assembleBackups } from "../../src/operations/backup-status";

const DAY = 24 * 3600;
const NOW = 1795400000;

const PLAN = {
  ...{ host: "backup1", home: "/var/lib/barman/demo", slot: "barman", results: "/r" },
  timers: ["pgherd-barman-tick.timer", "pgherd-backup.timer", "pgherd-backup-verify.timer"],
  ...{ maximumAgeDays: 2, verifyWithinDays: 8 },
};

function backup(overrides: Partial<BaseBackup> = {}): BaseBackup {
  return {
    ...{
      id: "20261121T020001",
      status: "DONE",
      error: "",
      timeline: 1,
      tablespaces: false,
      version: 17,
    },
    ...{ beganAt: NOW - DAY - 60, endedAt: NOW - DAY, beginLsn: "0/1", endLsn: "0/2" },
    ...{ size: 1, ownSize: 1, segmentBytes: 2 ** 24, ...overrides },
  };
}

function catalog(overrides: Partial<BackupCatalog> = {}): BackupCatalog {
  return {
    backups: [backup()],
    receiving: { segment: "000000010000000000000005", at: NOW - 5 },
    ...{
      taking: false,
      gaps: [],
      free: 2 ** 40,
      verifications: [],
      nextBackupAt: NOW + 60,
      now: NOW,
    },
    active: [BACKUP_UNITS.receiver, ...PLAN.timers],
    failed: [],
    ...overrides,
  };
}

const SLOT = { status: "reserved", retained: 2 ** 24, limit: 2 ** 32, receives: true };
const VERIFIED = {
  backup: "20261121T020001",
  problem: "",
  startedAt: 1,
  restoreSeconds: 5,
  bytes: 9,
};

const GAP = (low: string) => `${new Date(NOW * 1000).toISOString()} 00000001000000000000000${low}`;

test("backups that are as they must be have no problem", () => {
  const seen = assembleBackups(PLAN, catalog(), SLOT);
  expect(seen).toMatchObject({ count: 1, running: false, silentSeconds: 5, problems: [] });
});

test.each([
  ["no backup", catalog({ backups: [] }), SLOT, "There is no complete backup."],
  [
    "an old one",
    catalog({ backups: [backup({ endedAt: NOW - 3 * DAY })] }),
    SLOT,
    "The newest backup is 3 days old.",
  ],
  [
    "a failed one",
    catalog({ backups: [backup({ id: "2", status: "FAILED", error: "ssh" }), backup()] }),
    SLOT,
    "The last backup failed: ssh.",
  ],
  ["a receiver that does not run", catalog({ active: PLAN.timers }), SLOT, "No WAL is received"],
  [
    "a stopped timer of backups",
    catalog({ active: [BACKUP_UNITS.receiver, PLAN.timers[0] ?? "", ...PLAN.timers.slice(2)] }),
    SLOT,
    "No backup is due",
  ],
  [
    "a disk that is nearly full",
    catalog({ free: 300 * 2 ** 20 }),
    SLOT,
    "backup1 has 300 MB of free space for backups and WAL.",
  ],
  [
    "a gap after the newest backup",
    catalog({ gaps: [GAP("5")] }),
    SLOT,
    "WAL from 000000010000000000000005 on is missing",
  ],
  [
    "a gap that cannot be read",
    catalog({ gaps: ["\0\0\0"] }),
    SLOT,
    "nothing after it can be restored until there is a newer backup",
  ],
  [
    "a test restore that left no record after a good one",
    catalog({
      failed: [BACKUP_UNITS.verify],
      verifications: [{ ...VERIFIED, ok: true, endedAt: NOW - DAY }],
    }),
    SLOT,
    "The last test restore failed without a record of it",
  ],
  [
    "a test restore that failed",
    catalog({
      verifications: [{ ...VERIFIED, ok: false, problem: "damaged pages", endedAt: NOW }],
    }),
    SLOT,
    "The test restore of backup 20261121T020001 failed: damaged pages",
  ],
  [
    "a test restore that is overdue",
    catalog({ verifications: [{ ...VERIFIED, ok: true, endedAt: NOW - 9 * DAY }] }),
    SLOT,
    "No backup has been test-restored for 9 days.",
  ],
  [
    "a leader without the slot",
    catalog(),
    { ...SLOT, status: "" },
    'The leader has no slot "barman", which keeps WAL for backup1.',
  ],
  [
    "much WAL that waits for the backup host",
    catalog(),
    { ...SLOT, retained: 3 * 2 ** 30 },
    "The leader keeps 3072 MB of WAL for backup1; beyond 4096 MB it is dropped.",
  ],
  [
    "a stopped timer of test restores",
    catalog({ active: [BACKUP_UNITS.receiver, ...PLAN.timers.slice(0, 2)] }),
    SLOT,
    "No test restore is due: pgherd-backup-verify.timer does not run on backup1.",
  ],
  [
    "a stopped timer of Barman's upkeep",
    catalog({ active: [BACKUP_UNITS.receiver, ...PLAN.timers.slice(1)] }),
    SLOT,
    "Nothing stores what has been received or removes what is too old: pgherd-barman-tick.timer",
  ],
  [
    "a receiver that runs and is not let in",
    catalog(),
    { ...SLOT, receives: false },
    "backup1 receives no WAL from the leader. The reason: journalctl -n 20 -u pgherd-barman",
  ],
  [
    "a receiver that does not run, once",
    catalog({ active: PLAN.timers }),
    { ...SLOT, receives: false },
    "No WAL is received",
  ],
  [
    "a gap that was noted many times, once",
    catalog({ gaps: Array(29).fill(GAP("5")) }),
    SLOT,
    "WAL from 000000010000000000000005 on is missing: nothing after it",
  ],
  [
    "many gaps in one sentence",
    catalog({ gaps: [GAP("5"), GAP("7"), GAP("9")] }),
    SLOT,
    "WAL from 000000010000000000000005 on is missing, and after it in 2 more places: nothing",
  ],
  [
    "WAL that was dropped",
    catalog(),
    { ...SLOT, status: "lost" },
    "backup1 has stayed away for too long",
  ],
])("%s is told", (_what, found, slot, problem) => {
  const { problems } = assembleBackups(PLAN, found, slot);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(problem);
});

test("a gap that lies before the newest backup matters no more", () => {
  const gaps = [`${new Date((NOW - 2 * DAY) * 1000).toISOString()} 000000010000000000000005`];
  expect(assembleBackups(PLAN, catalog({ gaps }), SLOT).problems).toEqual([]);
});

test("a first backup that is being taken is no problem", () => {
  const seen = assembleBackups(
    PLAN,
    catalog({ backups: [backup({ status: "STARTED", endedAt: 0 })] }),
    SLOT,
  );
  expect(seen).toMatchObject({ running: true, problems: [] });
});

test("of backups on a host that cannot be asked nothing is known, which is not that there is none", () => {
  expect(assembleBackups(PLAN, undefined, SLOT)).toMatchObject({ unknown: true, problems: [] });
  expect(assembleBackups(PLAN, catalog(), SLOT).unknown).toBeUndefined();
});
