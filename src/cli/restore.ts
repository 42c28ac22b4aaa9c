import { Command } from "commander";
import { epochOf } from "../config/time";
import type { RecoveryTarget } from "../config/schema";
import { PgherdError, UsageError } from "../errors";
import { placesProbe } from "../facts/places";
import { askEach } from "../operations/ask";
import { inWords } from "../operations/recovery-wish";
import type { RestoreTarget } from "../operations/restore";
import { spanOf } from "../operations/words";
import { insist } from "../cluster/cluster";
import { performRestore } from "../cluster/restore";
import {
  byFolder,
  considerRestore,
  type RestorableCluster,
  type RestoreIntent,
  type RestoreRequest,
} from "../cluster/restore-plan";
import { considerResume, finishRestore } from "../cluster/restore-resume";
import {
  considerUndo,
  cutOffRestore,
  keptFolders,
  undoRestore,
  type Undone,
} from "../cluster/restore-undo";
import { memberBackups, recoverySettings } from "../plan/member-backups";
import { programsDirectory } from "../roles/patroni";
import { confirm, EXIT_CODES, wrapped } from "./ask";
import { backupPlanOf } from "./backup";
import { withStack, type OpenCluster, type StackOptions } from "./cluster";
import { during, report } from "./during";

interface RestoreOptions extends StackOptions {
  readonly targetTime?: string;
  readonly targetXid?: string;
  readonly targetLsn?: string;
  readonly targetName?: string;
  readonly targetTimeline?: string;
  readonly latest?: boolean;
  readonly undo?: boolean;
  readonly resume?: boolean;
  readonly backup?: string;
  /** `figures:/srv/figures2`, or several. */
  readonly tablespace?: string | readonly string[];
  readonly plan?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** What is wished for, whichever cluster it is. */
type Wished = Omit<RestoreOptions, keyof StackOptions>;

/** `pgherd restore`: the whole cluster as it was at a moment, in place. */
export function restoreCommand(): Command {
  return withStack(new Command("restore"))
    .description("Brings the whole cluster back to a moment, in place, and keeps the present data.")
    .option(
      "--target-time <time>",
      'up to the last commit before, with zone: "2026-11-21 14:30+01"',
    )
    .option("--target-xid <xid>", "up to this transaction, included")
    .option("--target-lsn <lsn>", "up to this position of the WAL: 0/5000060")
    .option("--target-name <name>", "up to a point named by pg_create_restore_point")
    .option("--latest", "all that the archive has")
    .option("--target-timeline <n>", "along this timeline (default: the one it is on)")
    .option("--backup <id>", "begin with this backup (default: the newest before the target)")
    .option(
      "--tablespace <name:path>",
      "put this tablespace there, on each member (may be given again)",
      (one: string, all: readonly string[] = []) => [...all, one],
    )
    .option("--undo", "put the data from before back, after a restore that was cut off")
    .option("--resume", "bring a restore to its end that was cut off, if it leads by now")
    .option("--plan", "only show what it would do")
    .option("-y, --yes", "do not ask; the cluster stops at once")
    .option("--json", "print JSON")
    .addHelpText("after", HELP)
    .action(async (options: RestoreOptions) => {
      const request = requestOf(options);
      if (options.undo) return during("restore --undo", options, (open) => undo(open, options));
      if (options.resume)
        return during("restore --resume", options, (open) => resume(open, options));
      await during("restore", options, async (open) => {
        const cluster = await restorable(open);
        const intent = await considerRestore(cluster, request);
        insist("The restore", intent, false, "");
        if (options.plan) return tellPlan(open, intent, options.json);
        await confirm(`${open.plan.name}: restore in place`, intent, options.yes ?? false);
        const outcome = await untilSignal(open, (signal) =>
          performRestore(cluster, intent, signal),
        );
        report(
          options.json,
          outcome,
          `Done after ${spanOf(outcome.seconds)}: ${open.plan.name} is on timeline ${outcome.timeline}, at ${inWords(request.target)}.`,
          ...afterwards(outcome),
        );
      });
    });
}

/** Puts the data back that a restore which was cut off has set aside. */
async function undo(open: OpenCluster, options: RestoreOptions): Promise<void> {
  const cluster = await restorable(open);
  const cutOff = await cutOffRestore(cluster);
  const intent = await considerUndo(cluster, cutOff);
  insist("This", intent, false, "");
  if (options.plan) return tellEffects(open, intent.effects, options.json);
  await confirm(`${open.plan.name}: undo the restore`, intent, options.yes ?? false);
  const undone = await undoRestore(cluster, cutOff);
  const folders = byFolder(keptFolders(undone));
  report(
    options.json,
    { undone: cutOff.within, ...undone },
    `Done: ${cutOff.within.join(", ")} ${cutOff.within.length > 1 ? "have" : "has"} the data from before.`,
    ...(folders.length > 0 ? ["What the restore has made is kept:"] : []),
    ...folders.map((one) => `  ${one}`),
  );
}

/** Brings a restore to its end that was cut off. */
async function resume(open: OpenCluster, options: RestoreOptions): Promise<void> {
  const cluster = await restorable(open);
  const cutOff = await cutOffRestore(cluster);
  const intent = await considerResume(cluster, cutOff);
  insist("Going on", intent, false, "");
  if (options.plan) return tellEffects(open, intent.effects, options.json);
  await confirm(`${open.plan.name}: go on with the restore`, intent, options.yes ?? false);
  const finished = await finishRestore(cluster, cutOff);
  report(
    options.json,
    finished,
    `Done: ${open.plan.name} is on timeline ${finished.timeline}, at ${cutOff.record.target}.`,
    ...afterwards(finished),
  );
}

function afterwards(kept: Undone): string[] {
  return [
    "The data from before, to be removed when you need it no more:",
    ...byFolder(keptFolders(kept)).map((one) => `  ${one}`),
    "Next: pgherd backup now, so that the way back from here is short.",
  ];
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Work that a signal ends where it is; a second one ends this process at once. */
async function untilSignal<T>(
  open: OpenCluster,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    for (const one of SIGNALS) process.removeListener(one, stop);
    controller.abort(new PgherdError(`It was stopped by ${name}.`));
    // What is being waited for fails then.
    open.renew();
  };
  for (const one of SIGNALS) process.on(one, stop);
  try {
    return await work(controller.signal);
  } finally {
    for (const one of SIGNALS) process.removeListener(one, stop);
  }
}

function tellEffects({ plan }: OpenCluster, effects: readonly string[], json?: boolean): void {
  report(json, { cluster: plan.name, effects }, plan.name, ...effects.map(wrapped));
}

const HELP = `
Every member stops, and clients have no database until it is done. The old data
directories stay beside the new ones, as DIRECTORY.before-restore-TIME, until
you remove them; so do the places of tablespaces. If the restore fails, or
Ctrl-C stops it, they are put back.
After a restore that was cut off (a killed command, a broken machine) \`pgherd
status\` says so, and --undo or --resume goes on from what is on the hosts.
${EXIT_CODES}

Examples:
  pgherd restore --target-time "2026-11-21 14:30:00+01" --plan
  pgherd restore --target-name before_the_migration
  pgherd restore --latest --yes
  pgherd restore --target-time "2026-11-21 14:30:00+01" --target-timeline 3
  pgherd restore --undo --plan`;

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
    ...effects.map(wrapped),
  );
}

/** What is wished for. @throws UsageError if it makes no sense */
export function requestOf(options: Wished): RestoreRequest {
  const target = targetOf(options);
  const time = target.time === undefined ? undefined : epochOf(target.time);
  const [timeline, tablespaces] = [timelineOf(options), tablespacesOf(options)];
  return { target, time, timeline, tablespaces, backup: options.backup };
}

/** What a restore needs to know of the stack and its hosts. */
export async function restorable(open: OpenCluster): Promise<RestorableCluster> {
  const { settings, plan } = open;
  const backup = backupPlanOf(settings);
  const { replicas } = memberBackups(settings);
  if (!replicas) throw new Error("a stack with backups makes replicas from them");
  const members = Object.keys(plan.patroni.members);
  // A way back need not wait for those that are away; a restore does, and says so when it asks them more.
  const { answers: places } = await askEach(open, members, (one) => one.observe(placesProbe));
  return {
    ...open,
    backup,
    places,
    binDirectory: programsDirectory(settings.cluster),
    fill: replicas.command,
    history: replicas.recoveryCommand,
    recovery: (target, timeline) =>
      recoverySettings(target as RecoveryTarget, replicas.recoveryCommand, timeline),
  };
}

/** @throws UsageError if there is not exactly one target, or it cannot be read. */
function targetOf(options: Wished): RestoreTarget {
  const { targetTime, targetXid, targetLsn, targetName, latest, undo, resume } = options;
  const given = [targetTime, targetXid, targetLsn, targetName, latest, undo, resume].filter(
    (one) => one !== undefined,
  );
  if (given.length !== 1) {
    throw new UsageError(
      `pgherd restore: expected one of --target-time, --target-xid, --target-lsn, --target-name, --latest, --undo and --resume, got ${given.length}.`,
    );
  }
  // One that cannot be read is refused with the window that can be restored.
  if (targetTime !== undefined) return { time: targetTime };
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

/** @throws UsageError if it is no number of a timeline. */
function timelineOf({ targetTimeline: text }: Wished): number | undefined {
  if (text === undefined) return undefined;
  demand("--target-timeline", text, /^[1-9]\d{0,8}$/.test(text), "a number such as 1");
  return Number(text);
}

/** `{ figures: "/srv/figures2" }`. @throws UsageError if one cannot be read, or is named twice */
function tablespacesOf({ tablespace }: Wished): { [name: string]: string } {
  const said = [tablespace ?? []].flat();
  const read = said.map((one) => {
    const [, name = "", path = ""] = /^(.+?):(\/.*?)\/*$/su.exec(one) ?? [];
    const plain = name !== "" && path.length > 1 && !/\p{Cc}|\/\.{1,2}(\/|$)|\/\//u.test(path);
    demand("--tablespace", one, plain, "a name and an absolute path such as figures:/srv/figures");
    return [name, path] as const;
  });
  const found = Object.fromEntries(read);
  const single = Object.keys(found).length === said.length;
  demand("--tablespace", said.join(" "), single, "each tablespace once");
  return found;
}

function demand(option: string, found: string, fits: boolean, expected: string): void {
  if (!fits) throw new UsageError(`${option}: expected ${expected}, got "${found}".`);
}
