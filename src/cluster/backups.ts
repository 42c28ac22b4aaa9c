import { setTimeout as sleep } from "node:timers/promises";
import { PgherdError, UsageError } from "../errors";
import {
  BACKUP_UNITS,
  catalogOfBackupsProbe,
  copiedProbe,
  failedChecksProbe,
  type BackupCatalog,
  type BaseBackup,
  type Verification,
  keepsFromBackup,
} from "../facts/barman";
import { knowsUnitProbe, unitProbe } from "../facts/systemd";
import type { BackupStatusPlan } from "../operations/backup-status";
import { startBackup, UNASKED_BACKUP, verifyBackup } from "../operations/barman";
import { sizeOf } from "../operations/words";
import type { Cluster } from "./cluster";

// What is done with the backups that Barman keeps of a cluster.

/** As long as the largest database takes. */
const VERIFY_SECONDS = 24 * 3600;

type Hosts = Pick<Cluster, "plan" | "host" | "progress">;

/** @throws PgherdError if the stack has no backups. */
export function demandBackups({ plan }: Pick<Cluster, "plan">): BackupStatusPlan {
  if (plan.backup) return plan.backup;
  throw new PgherdError(
    "pgherd:cluster.backup: expected where backups are kept, got nothing.",
    "Set it, e.g. `backup: { host: backup1 }`, and run pulumi up.",
  );
}

/** @throws PgherdError if there is nothing yet on the backup host that could take any: no run of pulumi has got so far. */
async function demandDeployed(cluster: Pick<Cluster, "plan" | "host">): Promise<void> {
  const { host } = demandBackups(cluster);
  if (await cluster.host(host).observe(knowsUnitProbe(UNASKED_BACKUP))) return;
  throw new PgherdError(
    `${host}: expected the backups of ${cluster.plan.name} to be set up there, found nothing of them yet.`,
    "Run pulumi up. In a migration they come with the step backedUp (pgherd:cluster.migration.until).",
  );
}

/** Asks the backup host something; where nothing is set up there, that is the reason of any failure. */
async function whereDeployed<T>(
  cluster: Pick<Cluster, "plan" | "host">,
  ask: () => Promise<T>,
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    await demandDeployed(cluster);
    throw error;
  }
}

/** All that Barman keeps of the cluster. */
export function catalogOf(cluster: Pick<Cluster, "plan" | "host">): Promise<BackupCatalog> {
  const { host, home, results } = demandBackups(cluster);
  return whereDeployed(cluster, () =>
    cluster.host(host).observe(catalogOfBackupsProbe(home, results)),
  );
}

/** One of the backups. @param id or `latest`, the newest complete one. @throws UsageError naming all if there is no such one */
export async function findBackup(
  cluster: Pick<Cluster, "plan" | "host">,
  id: string,
): Promise<BaseBackup> {
  const { backups } = await catalogOf(cluster);
  const found =
    id === "latest"
      ? backups.find(({ status }) => status === "DONE")
      : backups.find((one) => one.id === id);
  if (found) return found;
  throw new UsageError(
    `${demandBackups(cluster).host}: expected one of the backups (${backups.map((one) => one.id).join(", ") || "there is none"}), got "${id}".`,
  );
}

/**
 * Takes a backup. Ends when it is complete.
 * @throws PgherdError with the reason if it fails.
 */
export async function takeBackup(cluster: Hosts): Promise<BaseBackup> {
  await demandDeployed(cluster);
  const before = await untilFree(cluster);
  await cluster.host(demandBackups(cluster).host).change("starting a backup", startBackup());
  const taken = await follow(cluster, before);
  cluster.progress(`backup ${taken.id} is complete`);
  return taken;
}

/** Barman's own checks that fail, each with what it says; none if all pass. */
export function failedChecks(cluster: Pick<Cluster, "plan" | "host">): Promise<string[]> {
  const { host } = demandBackups(cluster);
  return whereDeployed(cluster, () =>
    cluster.host(host).observe(failedChecksProbe(cluster.plan.name)),
  );
}

/** Restores the newest backup beside the others, and looks through it. Ends when that is done, however it came out. */
export async function proveBackup(cluster: Hosts): Promise<Verification> {
  const { host, verifyWithinDays } = demandBackups(cluster);
  if (verifyWithinDays === null) {
    throw new PgherdError(
      "pgherd:cluster.backup.verify: expected when backups are proven, got false.",
      "Remove it, and run pulumi up.",
    );
  }
  await demandDeployed(cluster);
  const [last] = (await catalogOf(cluster)).verifications;
  cluster.progress("restoring the newest backup; this takes as long as a restore does");
  await cluster.host(host).change("verifying", verifyBackup(), { timeoutSeconds: VERIFY_SECONDS });
  const [result] = (await catalogOf(cluster)).verifications;
  if (result && result.endedAt !== last?.endedAt) return result;
  throw new PgherdError(
    `${host}: the test restore left no result.`,
    `Next: journalctl -u ${BACKUP_UNITS.verify} there.`,
  );
}

/** Waits for a backup that somebody else takes, as Barman takes one at a time. Returns all backups as they are then. */
async function untilFree(cluster: Hosts): Promise<BackupCatalog> {
  const start = Date.now();
  for (;;) {
    // One that waits for its WAL holds nobody else up, but its unit does.
    const runs = await isUnderWay(cluster);
    const catalog = await catalogOf(cluster);
    if (!catalog.taking && !runs) return catalog;
    const id = catalog.backups.find(isBeingTaken)?.id ?? "";
    cluster.progress(`backup ${id} is being taken: waiting for its end (${secondsSince(start)} s)`);
    await sleep(1000);
  }
}

function isBeingTaken({ status }: BaseBackup): boolean {
  return status !== "DONE" && status !== "FAILED";
}

function secondsSince(start: number): number {
  return Math.round((Date.now() - start) / 1000);
}

/** Waits for the end of the backup that has been started. */
async function follow(cluster: Hosts, { backups: before }: BackupCatalog): Promise<BaseBackup> {
  const known = before.map(({ id }) => id);
  const total = before.find(({ status }) => status === "DONE")?.size ?? 0;
  const start = Date.now();
  for (;;) {
    await sleep(1000);
    // Asked for before its backups are: what it has done is seen then.
    const runs = await isUnderWay(cluster);
    const one = (await catalogOf(cluster)).backups.find(({ id }) => !known.includes(id));
    if (one?.status === "DONE") return one;
    if (!runs) throw await failure(cluster, one);
    cluster.progress(await stage(cluster, one, total, secondsSince(start)));
  }
}

async function failure(cluster: Hosts, one: BaseBackup | undefined): Promise<PgherdError> {
  const { host } = demandBackups(cluster);
  if (one) {
    return new PgherdError(
      `${host}: backup ${one.id} failed: ${one.error || "Barman's log tells why"}.`,
      `Next: pgherd backup check, and /var/log/barman/barman.log on ${host}.`,
    );
  }
  const failed = (await failedChecks(cluster)).filter(keepsFromBackup);
  return new PgherdError(
    `${host}: the backup did not start${failed.length > 0 ? `, as Barman's checks fail: ${failed.join("; ")}` : ""}.`,
    `Next: journalctl -n 20 -u ${UNASKED_BACKUP} and /var/log/barman/barman.log on ${host}, and whether its disks are full (df).`,
  );
}

async function stage(
  cluster: Hosts,
  one: BaseBackup | undefined,
  total: number,
  seconds: number,
): Promise<string> {
  if (!one) return `Barman looks whether a backup can be taken (${seconds} s)`;
  if (one.status === "WAITING_FOR_WALS") {
    return `backup ${one.id}: copied, waiting for its WAL up to ${one.endLsn}`;
  }
  const { host, home } = demandBackups(cluster);
  const copied = await cluster.host(host).observe(copiedProbe(home, one.id));
  const percent = total > 0 ? ` (${Math.min(99, Math.round((100 * copied) / total))} %)` : "";
  return `backup ${one.id}: ${sizeOf(copied)}${percent} copied`;
}

async function isUnderWay(cluster: Hosts): Promise<boolean> {
  const { active } = await cluster
    .host(demandBackups(cluster).host)
    .observe(unitProbe(UNASKED_BACKUP));
  return ["active", "activating"].includes(active);
}
