import {
  BACKUP_UNITS,
  type BackupCatalog,
  type BaseBackup,
  type SlotState,
  type Verification,
} from "../facts/barman";
import { sizeOf } from "./words";

/** What must hold of the backups. */
export interface BackupStatusPlan {
  readonly host: string;
  readonly home: string;
  readonly slot: string;
  readonly timers: readonly string[];
  readonly maximumAgeDays: number;
  readonly verifyWithinDays: number | null;
  readonly results: string;
}

/** The backups of a cluster as they are now. */
export interface BackupStatus {
  readonly host: string;
  /** Whether the backup host could not be asked: then nothing is known of the backups but what the leader tells. */
  readonly unknown?: true;
  /** The newest complete one. */
  readonly newest?: BaseBackup;
  /** Whether one is being taken now. */
  readonly running: boolean;
  /** Complete ones. */
  readonly count: number;
  /** WAL that the leader keeps because the backup host does not have it yet. */
  readonly slot?: SlotState;
  /** Seconds since WAL was last received. */
  readonly silentSeconds?: number;
  /** When the next backup is due, in seconds since 1970; 0 if none is. */
  readonly nextAt: number;
  readonly verification?: Verification;
  /** What is not as it must be, one sentence each. */
  readonly problems: readonly string[];
}

/**
 * The backups as these answers show them.
 * @param catalog none where the backup host did not answer, of which others tell.
 * @param slot none where no leader answered.
 */
export function assembleBackups(
  plan: BackupStatusPlan,
  catalog: BackupCatalog | undefined,
  slot: SlotState | undefined,
): BackupStatus {
  const complete = (catalog?.backups ?? []).filter(({ status }) => status === "DONE");
  return {
    host: plan.host,
    ...(!catalog && { unknown: true as const }),
    newest: complete[0],
    count: complete.length,
    running: catalog?.backups.some(isRunning) ?? false,
    slot,
    silentSeconds: catalog?.receiving && catalog.now - catalog.receiving.at,
    nextAt: catalog?.nextBackupAt ?? 0,
    verification: catalog?.verifications[0],
    problems: [
      ...(catalog ? catalogProblems(plan, catalog) : []),
      ...(catalog?.active.includes(BACKUP_UNITS.receiver) ? receiverProblems(plan, slot) : []),
      ...slotProblems(plan, slot),
    ],
  };
}

function isRunning({ status }: BaseBackup): boolean {
  return ["EMPTY", "STARTED", "SYNCING", "WAITING_FOR_WALS"].includes(status);
}

const DAY = 24 * 3600;

/** Bytes; with less there will soon be no place for WAL. A new backup host must have as much. */
const LEAST_FREE = 2 ** 30;

/** What is not done while a timer does not run. */
const UNDONE: { readonly [timer: string]: string } = {
  [BACKUP_UNITS.backupTimer]: "No backup is due",
  [BACKUP_UNITS.verifyTimer]: "No test restore is due",
  [BACKUP_UNITS.upkeepTimer]: "Nothing stores what has been received or removes what is too old",
};

function catalogProblems(plan: BackupStatusPlan, catalog: BackupCatalog): string[] {
  const { backups, now, gaps, active, failed, verifications, free } = catalog;
  const problems: string[] = [];
  const newest = backups.find(({ status }) => status === "DONE");
  const running = backups.some(isRunning);
  const days = (seconds: number) => Math.floor((now - seconds) / DAY);
  if (!newest && !running) {
    problems.push("There is no complete backup. Take one: pgherd backup now");
  } else if (newest && !running && now - newest.endedAt > plan.maximumAgeDays * DAY) {
    problems.push(
      `The newest backup is ${days(newest.endedAt)} days old. Take one: pgherd backup now`,
    );
  }
  const [last] = backups;
  if (last?.status === "FAILED" && newest) {
    problems.push(`The last backup failed: ${last.error || "Barman's log tells why"}.`);
  }
  if (!active.includes(BACKUP_UNITS.receiver)) {
    problems.push(`No WAL is received: ${BACKUP_UNITS.receiver} does not run on ${plan.host}.`);
  }
  for (const timer of plan.timers.filter((one) => !active.includes(one))) {
    problems.push(
      `${UNDONE[timer] ?? "A task is not due"}: ${timer} does not run on ${plan.host}.`,
    );
  }
  if (free < LEAST_FREE) {
    problems.push(
      `${plan.host} has ${sizeOf(free)} of free space for backups and WAL. Make room, or keep backups for a shorter time.`,
    );
  }
  const [lost, ...more] = new Set(
    gaps
      .map((gap) => gap.split(" "))
      .filter(([at = ""]) => !(newest && newest.beganAt > Date.parse(at) / 1000))
      .map(([, segment = ""]) => segment),
  );
  if (lost !== undefined) {
    const others = more.length > 0 ? `, and after it in ${more.length} more places` : "";
    problems.push(
      `WAL from ${lost} on is missing${others}: nothing after it can be restored until there is a newer backup. Take one: pgherd backup now`,
    );
  }
  const [verification] = verifications;
  if (verification && !verification.ok) {
    const what = verification.backup ? `of backup ${verification.backup} ` : "";
    problems.push(`The test restore ${what}failed: ${verification.problem}`);
  } else if (failed.includes(BACKUP_UNITS.verify)) {
    problems.push(
      `The last test restore failed without a record of it: journalctl -u ${BACKUP_UNITS.verify} on ${plan.host}.`,
    );
  }
  const verifiedAt = verification?.endedAt ?? backups.at(-1)?.endedAt;
  if (plan.verifyWithinDays && verifiedAt && now - verifiedAt > plan.verifyWithinDays * DAY) {
    problems.push(`No backup has been test-restored for ${days(verifiedAt)} days.`);
  }
  return problems;
}

function receiverProblems({ host }: BackupStatusPlan, slot: SlotState | undefined): string[] {
  if (slot?.receives !== false) return [];
  return [
    `${host} receives no WAL from the leader. The reason: journalctl -n 20 -u ${BACKUP_UNITS.receiver} there`,
  ];
}

/** From here on the limit is near enough to be told of. */
const RETAINED_TOO_MUCH = 0.5;

function slotProblems(
  { slot: name, host }: BackupStatusPlan,
  slot: SlotState | undefined,
): string[] {
  if (!slot) return [];
  if (slot.status === "") return [`The leader has no slot "${name}", which keeps WAL for ${host}.`];
  if (slot.status === "lost") {
    return [`${host} has stayed away for too long: the leader keeps WAL for it no more.`];
  }
  if (slot.limit > 0 && slot.retained > slot.limit * RETAINED_TOO_MUCH) {
    const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`;
    return [
      `The leader keeps ${megabytes(slot.retained)} of WAL for ${host}; beyond ${megabytes(slot.limit)} it is dropped.`,
    ];
  }
  return [];
}
