import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import pc from "picocolors";
import type { Settings } from "../config/schema";
import { PgherdError, UsageError } from "../errors";
import {
  BACKUP_UNITS,
  catalogOfBackupsProbe,
  failedChecksProbe,
  type BackupCatalog,
  type BaseBackup,
} from "../facts/barman";
import type { Host } from "../host/host";
import { startBackup, UNASKED_BACKUP } from "../operations/barman";
import { planBackup } from "../plan/backup";
import type { BackupPlan } from "../plan/types";
import { EXIT_CODES, LOOK_EXIT_CODES, progressLine } from "./ask";
import { openCluster, withStack, type StackOptions } from "./cluster";
import { plainTable } from "./table";
import { sizeOf, spanOf, timeOf } from "../operations/words";

interface BackupOptions extends StackOptions {
  readonly json?: boolean;
}

/** `pgherd backup …`: what Barman keeps of a cluster. */
export function backupCommand(): Command {
  const backup = new Command("backup").description("Takes, lists, checks and proves backups.");
  verb(backup, "now", "Take a backup, and wait until it is complete.")
    .addHelpText("after", EXIT_CODES)
    .action((options: BackupOptions) => onBackupHost(options, takeNow));
  verb(backup, "list", "List the backups, the newest first.")
    .addHelpText("after", LOOK_EXIT_CODES)
    .action((options: BackupOptions) => onBackupHost(options, list));
  verb(backup, "show", "Show all that is known of a backup.")
    .argument("<id>", "as `pgherd backup list` shows it, or `latest`")
    .addHelpText("after", LOOK_EXIT_CODES)
    .action((id: string, options: BackupOptions) => onBackupHost(options, (at) => show(at, id)));
  verb(backup, "check", "Run Barman's own checks.")
    .addHelpText("after", "\nExit code: 0 if all pass, 2 if not, 1 if it could not be found out.")
    .action((options: BackupOptions) => onBackupHost(options, check));
  verb(backup, "verify", "Restore the newest backup beside the others, and look through it.")
    .addHelpText(
      "after",
      "\nExit code: 0 if it is in order, 2 if not, 1 if it could not be found out.",
    )
    .action((options: BackupOptions) => onBackupHost(options, verify));
  return backup;
}

function verb(parent: Command, name: string, description: string): Command {
  return withStack(parent.command(name).description(description)).option("--json", "print JSON");
}

/** For those who want JSON. */
const SILENT: ReturnType<typeof progressLine> = { say() {}, done() {} };

/** What every verb works with. */
interface At {
  readonly host: Host;
  readonly cluster: string;
  readonly plan: BackupPlan;
  readonly json: boolean;
}

async function onBackupHost(
  options: BackupOptions,
  work: (at: At) => Promise<void>,
): Promise<void> {
  const cluster = openCluster(options, "backup");
  try {
    const plan = backupPlanOf(cluster.settings);
    const host = cluster.host(plan.host);
    await work({ host, cluster: cluster.plan.name, plan, json: options.json ?? false });
  } finally {
    cluster.close();
  }
}

/** @throws PgherdError if the stack has no backups. */
export function backupPlanOf(settings: Settings): BackupPlan {
  const plan = planBackup(settings);
  if (plan) return plan;
  throw new PgherdError(
    "pgherd:cluster.backup: expected where backups are kept, got nothing.",
    "Set it, e.g. `backup: { host: backup1 }`, and run pulumi up.",
  );
}

function look({ host, plan }: At): Promise<BackupCatalog> {
  return host.observe(catalogOfBackupsProbe(plan.home, plan.results));
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

async function takeNow(at: At): Promise<void> {
  const { say: progress, done } = at.json ? SILENT : progressLine();
  try {
    const before = await untilFree(at, progress);
    await at.host.change("starting a backup", startBackup());
    const taken = await follow(at, before, progress);
    progress(`backup ${taken.id} is complete`);
    done();
    if (at.json) print(taken);
    else process.stdout.write(renderBackup(taken));
  } catch (error) {
    done();
    throw error;
  }
}

/** Waits for a backup that somebody else takes, as Barman takes one at a time. Returns all backups as they are then. */
async function untilFree(at: At, progress: (message: string) => void): Promise<BackupCatalog> {
  const start = Date.now();
  for (;;) {
    // One that waits for its WAL holds nobody else up, but its unit does.
    const runs = await isRunning(at.host, UNASKED_BACKUP);
    const catalog = await look(at);
    if (!catalog.taking && !runs) return catalog;
    const id = catalog.backups.find(isBeingTaken)?.id ?? "";
    progress(`backup ${id} is being taken: waiting for its end (${secondsSince(start)} s)`);
    await sleep(1000);
  }
}

function isBeingTaken({ status }: BaseBackup): boolean {
  return status !== "DONE" && status !== "FAILED";
}

function secondsSince(start: number): number {
  return Math.round((Date.now() - start) / 1000);
}

/**
 * Waits for the end of the backup that has been started.
 * @throws PgherdError with the reason if it fails.
 */
async function follow(
  at: At,
  { backups: before }: BackupCatalog,
  progress: (message: string) => void,
): Promise<BaseBackup> {
  const known = before.map(({ id }) => id);
  const total = before.find(({ status }) => status === "DONE")?.size ?? 0;
  const start = Date.now();
  for (;;) {
    await sleep(1000);
    // Asked for before its backups are: what it has done is seen then.
    const runs = await isRunning(at.host, UNASKED_BACKUP);
    const one = (await look(at)).backups.find(({ id }) => !known.includes(id));
    if (one?.status === "DONE") return one;
    if (!runs) throw await failure(at, one);
    progress(await stage(at, one, total, secondsSince(start)));
  }
}

async function failure(at: At, one: BaseBackup | undefined): Promise<PgherdError> {
  const { host } = at.plan;
  if (one) {
    return new PgherdError(
      `${host}: backup ${one.id} failed: ${one.error || "Barman's log tells why"}.`,
      `Next: pgherd backup check, and /var/log/barman/barman.log on ${host}.`,
    );
  }
  const failed = await at.host.observe(failedChecksProbe(at.cluster));
  return new PgherdError(
    `${host}: the backup did not start${failed.length > 0 ? `, as Barman's checks fail: ${failed.join("; ")}` : ""}.`,
    `Next: journalctl -n 20 -u ${UNASKED_BACKUP} on ${host}.`,
  );
}

async function stage(
  { host, plan }: At,
  one: BaseBackup | undefined,
  total: number,
  seconds: number,
): Promise<string> {
  if (!one) return `Barman looks whether a backup can be taken (${seconds} s)`;
  if (one.status === "WAITING_FOR_WALS") {
    return `backup ${one.id}: copied, waiting for its WAL up to ${one.endLsn}`;
  }
  const copied = await copiedBytes(host, `${plan.home}/base/${one.id}/data`);
  const percent = total > 0 ? ` (${Math.min(99, Math.round((100 * copied) / total))} %)` : "";
  return `backup ${one.id}: ${sizeOf(copied)}${percent} copied`;
}

function isRunning(host: Host, unit: string): Promise<boolean> {
  return host.observe({
    script: `systemctl show -p ActiveState --value ${unit}`,
    parse: (output) => ["active", "activating"].includes(output.trim()),
  });
}

/** Bytes below a directory, as files count them. */
function copiedBytes(host: Host, directory: string): Promise<number> {
  return host.observe({
    script: `du -sb ${directory} 2>/dev/null | cut -f1`,
    parse: (output) => Number(output.trim()) || 0,
  });
}

async function list(at: At): Promise<void> {
  const catalog = await look(at);
  if (at.json) print(catalog.backups);
  else process.stdout.write(renderList(catalog));
}

/** The backups as a person reads them, on 80 columns. */
function renderList({ backups, now, nextBackupAt }: BackupCatalog): string {
  if (backups.length === 0) return "There are no backups yet. Take one: pgherd backup now\n";
  const table = plainTable(["Backup", "State", "Ended", "Age", "Size", "New", "TL"]);
  for (const one of backups) {
    table.push([
      one.id,
      stateOf(one),
      one.endedAt ? timeOf(one.endedAt) : "",
      one.endedAt ? spanOf(now - one.endedAt) : "",
      one.size ? sizeOf(one.size) : "",
      one.size ? sizeOf(one.ownSize) : "",
      one.timeline || "",
    ]);
  }
  return `${table.toString()}\n${nextBackupAt ? `\nThe next one: ${timeOf(nextBackupAt)}, in ${spanOf(nextBackupAt - now)}\n` : ""}`;
}

function stateOf({ status }: BaseBackup): string {
  switch (status) {
    case "DONE":
      return pc.green("complete");
    case "FAILED":
      return pc.red("failed");
    case "WAITING_FOR_WALS":
      return "waits for WAL";
    default:
      return "being taken";
  }
}

async function show(at: At, id: string): Promise<void> {
  const { backups } = await look(at);
  const found =
    id === "latest"
      ? backups.find(({ status }) => status === "DONE")
      : backups.find((one) => one.id === id);
  if (!found) {
    throw new UsageError(
      `${at.plan.host}: expected one of the backups (${backups.map((one) => one.id).join(", ") || "there is none"}), got "${id}".`,
    );
  }
  if (at.json) print(found);
  else process.stdout.write(renderBackup(found));
}

/** One backup as a person reads it. */
function renderBackup(one: BaseBackup): string {
  const rows: [string, string][] = [
    ["Backup", `${pc.bold(one.id)}, ${stateOf(one)}${one.error ? `: ${one.error}` : ""}`],
    [
      "Taken",
      `${timeOf(one.beganAt)}${one.endedAt ? ` to ${timeOf(one.endedAt)}, ${spanOf(one.endedAt - one.beganAt)}` : ""}`,
    ],
    ["Size", `${sizeOf(one.size)}, of which ${sizeOf(one.ownSize)} are new`],
    ["WAL", `${one.beginLsn} to ${one.endLsn}, timeline ${one.timeline}`],
  ];
  if (one.endedAt) rows.push(["Restores to", `${timeOf(one.endedAt)} and later`]);
  return rows.map(([name, value]) => `${name.padEnd(12)} ${value}\n`).join("");
}

async function check(at: At): Promise<void> {
  const failed = await at.host.observe(failedChecksProbe(at.cluster));
  if (at.json) print({ ok: failed.length === 0, failed });
  else if (failed.length === 0) process.stdout.write("All of Barman's checks pass.\n");
  else process.stdout.write(failed.map((one) => `${pc.red("failed")} ${one}\n`).join(""));
  if (failed.length > 0) process.exitCode = 2;
}

/** As long as the largest database takes. */
const VERIFY_SECONDS = 24 * 3600;

async function verify(at: At): Promise<void> {
  if (at.plan.verifyWithinDays === null) {
    throw new PgherdError(
      "pgherd:cluster.backup.verify: expected when backups are proven, got false.",
      "Remove it, and run pulumi up.",
    );
  }
  const { say: progress, done } = at.json ? SILENT : progressLine();
  const [last] = (await look(at)).verifications;
  progress("restoring the newest backup; this takes as long as a restore does");
  await at.host.change(
    "verifying",
    `systemctl reset-failed ${BACKUP_UNITS.verify} 2>/dev/null || :; systemctl start ${BACKUP_UNITS.verify} || :`,
    { timeoutSeconds: VERIFY_SECONDS },
  );
  done();
  const [result] = (await look(at)).verifications;
  if (!result || result.endedAt === last?.endedAt)
    throw new PgherdError(
      `${at.plan.host}: the test restore left no result.`,
      `Next: journalctl -u ${BACKUP_UNITS.verify} there.`,
    );
  if (at.json) print(result);
  else
    process.stdout.write(
      result.ok
        ? `Backup ${result.backup} is in order: ${sizeOf(result.bytes)} restored and replayed in ${spanOf(result.restoreSeconds)}.\n`
        : `${pc.red("Failed")}: ${result.backup ? `backup ${result.backup}: ` : ""}${result.problem}\n`,
    );
  if (!result.ok) process.exitCode = 2;
}
