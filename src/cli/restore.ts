import { Command } from "commander";
import { epochOf } from "../config/time";
import type { RecoveryTarget } from "../config/schema";
import { PgherdError } from "../errors";
import { placesProbe } from "../facts/places";
import { inWords } from "../operations/recovery-window";
import type { RestoreTarget } from "../operations/restore";
import { spanOf } from "../operations/words";
import { insist } from "../operator/cluster";
import { performRestore } from "../operator/restore";
import {
  byFolder,
  considerRestore,
  type RestorableCluster,
  type RestoreIntent,
} from "../operator/restore-plan";
import { memberBackups, recoverySettings } from "../plan/member-backups";
import { confirm, EXIT_CODES } from "./ask";
import { backupPlanOf } from "./backup";
import { withStack, type OpenCluster, type StackOptions } from "./cluster";
import { during, report } from "./during";

interface RestoreOptions extends StackOptions {
  readonly targetTime?: string;
  readonly targetXid?: string;
  readonly targetLsn?: string;
  readonly targetName?: string;
  readonly latest?: boolean;
  readonly backup?: string;
  readonly plan?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `pgherd restore`: the whole cluster as it was at a moment, in place. */
export function restoreCommand(): Command {
  return withStack(new Command("restore"))
    .description("Brings the whole cluster back to a moment, in place, and keeps the present data.")
    .option("--target-time <time>", 'up to the last commit before: "2026-11-21 14:30:00+01"')
    .option("--target-xid <xid>", "up to this transaction, included")
    .option("--target-lsn <lsn>", "up to this position of the WAL: 0/5000060")
    .option("--target-name <name>", "up to a point named by pg_create_restore_point")
    .option("--latest", "all that the archive has")
    .option("--backup <id>", "begin with this backup (default: the newest before the target)")
    .option("--plan", "only show what it would do")
    .option("-y, --yes", "do not ask; the cluster stops at once")
    .option("--json", "print JSON")
    .addHelpText("after", HELP)
    .action(async (options: RestoreOptions) => {
      const target = targetOf(options);
      await during("restore", options, async (open) => {
        const cluster = await restorable(open);
        const time = target.time === undefined ? undefined : epochOf(target.time);
        const intent = await considerRestore(cluster, { target, time, backup: options.backup });
        insist("The restore", intent, false, "");
        if (options.plan) return tellPlan(open, intent, options.json);
        await confirm(`${open.plan.name}: restore in place`, intent, options.yes ?? false);
        const outcome = await performRestore(cluster, intent);
        report(
          options.json,
          outcome,
          `Done after ${spanOf(outcome.seconds)}: ${open.plan.name} is on timeline ${outcome.timeline}, at ${inWords(target)}.`,
          "The data from before, to be removed when you need it no more:",
          ...byFolder(Object.entries(outcome.kept)).map((one) => `  ${one}`),
          "Next: pgherd backup now, so that the way back from here is short.",
        );
      });
    });
}

const HELP = `
Every member stops, and clients have no database until it is done. The old data
directories stay beside the new ones, as DIRECTORY.before-restore-TIME, until you
remove them. If the restore fails they are put back.
${EXIT_CODES}

Examples:
  pgherd restore --target-time "2026-11-21 14:30:00+01" --plan
  pgherd restore --target-name before_the_migration
  pgherd restore --latest --yes`;

function tellPlan(
  { plan }: OpenCluster,
  { target, backup, first, members, effects }: RestoreIntent,
  json: boolean | undefined,
): void {
  const title = `${plan.name}: restore in place`;
  report(
    json,
    { cluster: plan.name, target, backup: backup.id, bytes: backup.size, first, members, effects },
    title,
    ...effects.map((effect) => `  - ${effect}`),
  );
}

/** What a restore needs to know of the stack and its hosts. */
async function restorable(open: OpenCluster): Promise<RestorableCluster> {
  const { settings, plan, host } = open;
  const backup = backupPlanOf(settings);
  const { replicas } = memberBackups(settings);
  if (!replicas) throw new Error("a stack with backups makes replicas from them");
  const members = Object.keys(plan.patroni.members);
  const places = await Promise.all(
    members.map(async (name) => [name, await host(name).observe(placesProbe)] as const),
  );
  return {
    ...open,
    backup,
    places: Object.fromEntries(places),
    binDirectory: `/usr/lib/postgresql/${settings.cluster.postgresql.version}/bin`,
    fill: replicas.command,
    recovery: (target) => recoverySettings(target as RecoveryTarget, replicas.recoveryCommand),
  };
}

/** @throws PgherdError if there is not exactly one target, or it cannot be read. */
export function targetOf(options: RestoreOptions): RestoreTarget {
  const { targetTime, targetXid, targetLsn, targetName, latest } = options;
  const given = [targetTime, targetXid, targetLsn, targetName, latest].filter(
    (one) => one !== undefined,
  );
  if (given.length !== 1) {
    throw new PgherdError(
      `pgherd restore: expected one of --target-time, --target-xid, --target-lsn, --target-name and --latest, got ${given.length}.`,
    );
  }
  if (targetTime !== undefined) {
    const readable = !Number.isNaN(epochOf(targetTime));
    demand(
      "--target-time",
      targetTime,
      readable,
      'a time with its zone, such as "2026-11-21 14:30:00+01"',
    );
    return { time: targetTime };
  }
  if (targetXid !== undefined) {
    demand("--target-xid", targetXid, /^\d+$/.test(targetXid), "a number");
    return { xid: Number(targetXid) };
  }
  if (targetLsn !== undefined) {
    const position = /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i.test(targetLsn);
    demand("--target-lsn", targetLsn, position, "a position such as 0/5000060");
    return { lsn: targetLsn };
  }
  if (targetName !== undefined) {
    const plain = /^[A-Za-z0-9_.:-]{1,63}$/.test(targetName);
    demand("--target-name", targetName, plain, "a name of letters, digits, dots, colons, hyphens");
    return { name: targetName };
  }
  return {};
}

function demand(option: string, found: string, fits: boolean, expected: string): void {
  if (!fits) throw new PgherdError(`${option}: expected ${expected}, got "${found}".`);
}
