import { Command } from "commander";
import pc from "picocolors";
import {
  catalogOf,
  demandBackups,
  failedChecks,
  findBackup,
  proveBackup,
  takeBackup,
} from "../cluster/backups";
import type { Settings } from "../config/schema";
import { PgherdError } from "../errors";
import type { BackupCatalog, BaseBackup } from "../facts/barman";
import { planBackup } from "../plan/backup";
import type { BackupPlan } from "../plan/types";
import { EXIT_CODES, LOOK_EXIT_CODES, progressLine } from "./ask";
import { openCluster, withStack, type OpenCluster, type StackOptions } from "./cluster";
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

/** What every verb works with. */
interface At {
  readonly cluster: OpenCluster;
  readonly json: boolean;
}

async function onBackupHost(
  options: BackupOptions,
  work: (at: At) => Promise<void>,
): Promise<void> {
  const json = options.json ?? false;
  const line = progressLine();
  const cluster = openCluster(options, "backup", (message) => {
    if (!json) line.say(message);
  });
  try {
    demandBackups(cluster);
    await work({ cluster, json });
  } finally {
    line.done();
    cluster.close();
  }
}

/** What came of a verb, once nothing is waited for any more. */
function tell({ json }: At, value: unknown, text: string): void {
  if (process.stderr.isTTY && !json) process.stderr.write("\r\u001b[K");
  process.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : text);
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

async function takeNow(at: At): Promise<void> {
  const taken = await takeBackup(at.cluster);
  tell(at, taken, renderBackup(taken));
}

async function list(at: At): Promise<void> {
  const catalog = await catalogOf(at.cluster);
  tell(at, catalog.backups, renderList(catalog));
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
  const found = await findBackup(at.cluster, id);
  tell(at, found, renderBackup(found));
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
  const failed = await failedChecks(at.cluster);
  const text = failed.map((one) => `${pc.red("failed")} ${one}\n`).join("");
  tell(at, { ok: failed.length === 0, failed }, text || "All of Barman's checks pass.\n");
  if (failed.length > 0) process.exitCode = 2;
}

async function verify(at: At): Promise<void> {
  const result = await proveBackup(at.cluster);
  const { ok, backup, bytes, restoreSeconds, problem } = result;
  tell(
    at,
    result,
    ok
      ? `Backup ${backup} is in order: ${sizeOf(bytes)} restored and replayed in ${spanOf(restoreSeconds)}.\n`
      : `${pc.red("Failed")}: ${backup ? `backup ${backup}: ` : ""}${problem}\n`,
  );
  if (!ok) process.exitCode = 2;
}
