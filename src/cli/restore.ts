import { setTimeout as sleep } from "node:timers/promises";
import { createInterface } from "node:readline/promises";
import { Command } from "commander";
import pc from "picocolors";
import { epochOf } from "../config/time";
import type { RecoveryTarget, Settings } from "../config/schema";
import { PgherdError } from "../errors";
import { catalogOfBackupsProbe, type BackupCatalog, type BaseBackup } from "../facts/barman";
import { clusterViewProbe, systemIdentifierProbe, type ClusterView } from "../facts/patroni";
import { psql } from "../facts/postgres";
import type { Host } from "../host/host";
import {
  chooseBackup,
  commitOnce,
  endRestoreOrder,
  forgetCluster,
  historyProbe,
  isInHistory,
  orderRestore,
  positionOf,
  putDataBack,
  rememberCluster,
  restoreProgressProbe,
  roomProbe,
  setDataAside,
  stopMember,
  walPlacesProbe,
  type Aim,
  type RestoreTarget,
  type WalPlace,
} from "../operations/restore";
import { memberBackups, recoverySettings } from "../plan/backup";
import { dataDirectory } from "../plan/directories";
import { planCluster } from "../plan/plan";
import type { ClusterPlan } from "../plan/types";
import { progressLine } from "./ask";
import { backupPlanOf, SILENT } from "./backup";
import { openCluster, withStack, type StackOptions } from "./cluster";
import { sizeOf, spanOf, timeOf } from "./words";

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
    .description(
      "Brings the whole cluster back to a moment, in place. The present data is kept beside it.",
    )
    .option("--target-time <time>", 'up to the last commit before it: "2026-11-21 14:30:00+01"')
    .option("--target-xid <xid>", "up to this transaction, included")
    .option("--target-lsn <lsn>", "up to this position of the WAL: 0/5000060")
    .option("--target-name <name>", "up to a point named by pg_create_restore_point")
    .option("--latest", "all that the archive has")
    .option("--backup <id>", "begin with this backup (default: the newest before the target)")
    .option("--plan", "only show what would be done")
    .option("-y, --yes", "do not ask; the cluster stops at once")
    .option("--json", "print JSON")
    .addHelpText("after", HELP)
    .action(async (options: RestoreOptions) => {
      const target = targetOf(options);
      const { settings, host, close } = openCluster(options, "restore");
      try {
        const restore = await prepare(settings, target, options.backup, host);
        if (options.plan && options.json) print(summary(restore));
        else if (!options.json) process.stdout.write(render(restore));
        if (options.plan) return;
        await confirm(restore.cluster, options.yes ?? false);
        await run(restore, host, options.json ?? false);
      } finally {
        close();
      }
    });
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

const HELP = `
Every member stops, and clients have no database until it is done. The old data directories stay beside the new ones,
as DIRECTORY.before-restore-TIME, until you remove them. If the restore fails they are put back.

Examples:
  pgherd restore --target-time "2026-11-21 14:30:00+01" --plan
  pgherd restore --target-name before_the_migration
  pgherd restore --latest --yes`;

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
  const wrong = (option: string, expected: string, found: string) =>
    new PgherdError(`${option}: expected ${expected}, got "${found}".`);
  if (targetTime !== undefined) {
    if (Number.isNaN(epochOf(targetTime)))
      throw wrong(
        "--target-time",
        'a time with its zone, such as "2026-11-21 14:30:00+01"',
        targetTime,
      );
    return { time: targetTime };
  }
  if (targetXid !== undefined) {
    if (!/^\d+$/.test(targetXid)) throw wrong("--target-xid", "a number", targetXid);
    return { xid: Number(targetXid) };
  }
  if (targetLsn !== undefined) {
    if (!/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i.test(targetLsn))
      throw wrong("--target-lsn", "a position such as 0/5000060", targetLsn);
    return { lsn: targetLsn };
  }
  if (targetName !== undefined) {
    if (!/^[A-Za-z0-9_.:-]{1,63}$/.test(targetName))
      throw wrong(
        "--target-name",
        "a name of letters, digits, dots, colons and hyphens",
        targetName,
      );
    return { name: targetName };
  }
  return {};
}

/** Everything that is known before anything is changed. */
interface Restore {
  readonly cluster: string;
  readonly settings: Settings;
  readonly plan: ClusterPlan;
  readonly target: RestoreTarget;
  readonly aim: Aim;
  readonly backup: BaseBackup;
  readonly catalog: BackupCatalog;
  /** The member that is restored first and leads then. */
  readonly first: string;
  readonly members: readonly string[];
  readonly data: string;
  readonly binDirectory: string;
  readonly systemIdentifier?: string;
  /** Whether it leads now. */
  readonly leads: boolean;
  readonly timeline: number;
}

async function prepare(
  settings: Settings,
  target: RestoreTarget,
  id: string | undefined,
  host: (name: string) => Host,
): Promise<Restore> {
  const backupPlan = backupPlanOf(settings);
  const plan = planCluster(settings);
  const { cluster } = settings;
  const members = Object.keys(plan.patroni.members);
  const [catalog, view] = await Promise.all([
    host(backupPlan.host).observe(catalogOfBackupsProbe(backupPlan.home, backupPlan.results)),
    viewOf(plan, host),
  ]);
  const leader = view?.members.find(({ role, state }) => role === "leader" && state === "running");
  const first =
    leader?.name ?? (members.find((name) => !plan.patroni.neverLead.includes(name)) as string);
  const timeline =
    leader?.timeline ??
    Math.max(...catalog.backups.map((one) => one.timeline), received(catalog), 1);
  const history = await host(backupPlan.host).observe(historyProbe(backupPlan.home, timeline));
  const binDirectory = `/usr/lib/postgresql/${cluster.postgresql.version}/bin`;
  const complete = catalog.backups.filter(({ status }) => status === "DONE");
  const oldest = complete
    .filter((one) => isInHistory(history, timeline, one.timeline, one.endLsn))
    .at(-1);
  if (!oldest) {
    throw new PgherdError(
      `${backupPlan.host}: expected a complete backup of ${cluster.name}, found none.`,
      "Next: pgherd backup list.",
    );
  }
  const places =
    target.xid !== undefined || target.name !== undefined
      ? await host(backupPlan.host).observe(
          walPlacesProbe(backupPlan.home, binDirectory, segmentOf(oldest), target),
        )
      : [];
  const aim = aimOf(
    target,
    places.filter((one) => isInHistory(history, timeline, one.timeline, one.lsn)),
  );
  const window = {
    from: oldest,
    until: leader ? catalog.now : (catalog.receiving?.at ?? catalog.now),
  };
  refuseOutside(target, aim, window, places);
  const backup = chooseBackup(catalog, aim, history, timeline, id);
  if (!backup) {
    throw new PgherdError(
      id === undefined
        ? `expected a target after ${timeOf(oldest.endedAt)} (${oldest.endLsn}), when the oldest backup ended, got ${describe(target)}.`
        : `--backup: expected a complete backup from before ${describe(target)}, got "${id}".`,
      "pgherd backup list shows the backups. Nothing was changed.",
    );
  }
  if (backup.tablespaces) {
    throw new PgherdError(
      `backup ${backup.id} has tablespaces, which pgherd does not place.`,
      `Restore it with barman on ${backupPlan.host}. Nothing was changed.`,
    );
  }
  const data = dataDirectory(cluster);
  await refuseWithoutRoom(members, data, backup, host);
  const endpoint = plan.patroni.members[first] ?? "";
  return {
    ...{
      cluster: cluster.name,
      settings,
      plan,
      target,
      aim,
      backup,
      catalog,
      first,
      members,
      data,
    },
    ...{ binDirectory, timeline, leads: leader !== undefined },
    systemIdentifier: await host(first).observe(systemIdentifierProbe(endpoint)),
  };
}

async function viewOf(
  plan: ClusterPlan,
  host: (name: string) => Host,
): Promise<ClusterView | undefined> {
  const views = await Promise.all(
    Object.entries(plan.patroni.members).map(([name, endpoint]) =>
      host(name).observe(clusterViewProbe(endpoint)),
    ),
  );
  return views.find((one) => one !== undefined && one.members.length > 0);
}

function received({ receiving }: BackupCatalog): number {
  return receiving ? parseInt(receiving.segment.slice(0, 8), 16) : 1;
}

/** The first segment that a backup needs, whatever its timeline. */
function segmentOf({ beginLsn, timeline }: BaseBackup): string {
  const hex = (value: bigint) => value.toString(16).toUpperCase().padStart(8, "0");
  const position = positionOf(beginLsn);
  return `${hex(BigInt(timeline))}${hex(position >> 32n)}${hex((position & 0xffffffffn) >> 24n)}`;
}

function aimOf(target: RestoreTarget, places: readonly WalPlace[]): Aim {
  if (target.time !== undefined) return { time: epochOf(target.time) };
  if (target.lsn !== undefined) return { lsn: target.lsn };
  // A name may have been given more than once: PostgreSQL stops at the first that it meets.
  return places[0] ? { lsn: places[0].lsn } : {};
}

function refuseOutside(
  target: RestoreTarget,
  aim: Aim,
  window: { from: BaseBackup; until: number },
  places: readonly WalPlace[],
): void {
  const range = `${timeOf(window.from.endedAt)} to ${timeOf(window.until)}`;
  const untouched = "Nothing was changed.";
  if (aim.time !== undefined && (aim.time < window.from.endedAt || aim.time > window.until)) {
    throw new PgherdError(
      `--target-time: expected a time that backups and WAL cover, ${range}, got ${timeOf(aim.time)}.`,
      untouched,
    );
  }
  if (target.name !== undefined && aim.lsn === undefined) {
    throw new PgherdError(
      `--target-name: expected a point of the WAL that is kept, ${range}, found none with the name "${target.name}".`,
      untouched,
    );
  }
  if (target.xid !== undefined) {
    const [place] = places;
    if (aim.lsn === undefined || place?.text.startsWith("ABORT")) {
      throw new PgherdError(
        `--target-xid: expected a transaction that committed within ${range}, found ${place ? "that it was rolled back" : `no commit of ${target.xid}`}.`,
        untouched,
      );
    }
  }
}

/** The old data stays, so that there must be room for both. */
async function refuseWithoutRoom(
  members: readonly string[],
  data: string,
  backup: BaseBackup,
  host: (name: string) => Host,
): Promise<void> {
  const needed = backup.size * 1.1 + 512 * 2 ** 20;
  const problems = await Promise.all(
    members.map(async (name) => {
      const { free, mounted } = await host(name).observe(roomProbe(data));
      if (mounted)
        return `${name}: expected ${data} to be a directory that can be set aside, found a file system of its own. Set pgherd:cluster.postgresql.dataDirectory to a folder in it.`;
      return free < needed
        ? `${name}: expected ${sizeOf(needed)} of free space beside ${data}, which stays, found ${sizeOf(free)}.`
        : "";
    }),
  );
  const found = problems.filter((one) => one !== "");
  if (found.length > 0) throw new PgherdError(found.join("\n"), "Nothing was changed.");
}

/** A target in words. */
export function describe({ time, xid, lsn, name }: RestoreTarget): string {
  if (time !== undefined) return `the last commit before ${time}`;
  if (xid !== undefined) return `transaction ${xid}`;
  if (lsn !== undefined) return `position ${lsn}`;
  return name !== undefined ? `the point "${name}"` : "the end of the archive";
}

function summary({ cluster, target, aim, backup, first, members, catalog, data }: Restore) {
  return {
    ...{ cluster, target, aim, backup: backup.id, bytes: backup.size, first, members },
    lostSeconds: aim.time === undefined ? undefined : Math.max(0, catalog.now - aim.time),
    keeps: `${data}.before-restore-…`,
  };
}

/** What will be done, as a person reads it before he says yes. */
function render({ cluster, target, aim, backup, first, members, catalog, data }: Restore): string {
  const others = members.filter((name) => name !== first);
  const lost =
    aim.time !== undefined
      ? `everything committed after it: the last ${spanOf(catalog.now - aim.time)}`
      : Object.keys(target).length === 0
        ? "what the archive does not have yet"
        : "everything committed after it";
  const rows: [string, string][] = [
    ["Restores", `cluster ${pc.bold(cluster)}, in place`],
    ["To", describe(target)],
    [
      "From",
      `backup ${backup.id} of ${timeOf(backup.endedAt)}, ${sizeOf(backup.size)}, and the WAL since`,
    ],
    ["Onto", `${first} first, then ${others.join(", ") || "no other"}`],
    ["Is lost", pc.red(lost)],
    ["Is kept", `the present data, as ${data}.before-restore-… on each member`],
  ];
  return `${rows.map(([name, value]) => `${name.padEnd(10)} ${value}\n`).join("")}`;
}

async function confirm(cluster: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) {
    throw new PgherdError(
      "pgherd restore: expected a yes, got no terminal to ask on.",
      "Say --yes if this is what you want. Nothing was changed.",
    );
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(
    `\nThe database stops. Type the cluster's name to go on: `,
  );
  terminal.close();
  if (answer.trim() !== cluster) throw new PgherdError("Nothing was changed.");
}

/** As long as the largest database takes. */
const RESTORE_SECONDS = 24 * 3600;

async function run(restore: Restore, host: (name: string) => Host, silent: boolean): Promise<void> {
  const { cluster, plan, first, members, data, binDirectory } = restore;
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const aside = `before-restore-${stamp}`;
  const others = members.filter((name) => name !== first);
  const { say: progress, done } = silent ? SILENT : progressLine();
  const started = Date.now();
  const etcd = host(Object.keys(plan.etcd.members)[0] as string);
  const endpoints = Object.values(plan.etcd.members);
  const replicas = memberBackups(restore.settings).replicas as NonNullable<
    ReturnType<typeof memberBackups>["replicas"]
  >;

  if (restore.leads) {
    await host(first).change(
      "marking the end",
      `set -e\n${commitOnce(psql(restore.plan.patroni.port, "postgres"))}`,
    );
  }
  progress("stopping the replicas");
  const stop = (name: string) =>
    host(name).change("stopping Patroni", `set -e\n${stopMember(data, binDirectory)}`, {
      timeoutSeconds: 3700,
    });
  await Promise.all(others.map(stop));
  progress(`stopping ${first}`);
  await stop(first);
  progress("setting the present data aside");
  await Promise.all(
    members.map((name) =>
      host(name).change("setting data aside", `set -e\n${setDataAside(data, aside)}`),
    ),
  );
  await host(first).change(
    "ordering the restore",
    `set -e\n${orderRestore(`${replicas.command} --backup=${restore.backup.id}`, recoverySettings(restore.target as RecoveryTarget, replicas.restoreCommand))}`,
  );
  await etcd.change("forgetting the old cluster", `set -e\n${forgetCluster(endpoints, cluster)}`);
  const since = Math.floor(Date.now() / 1000) - 1;
  await host(first).change("starting Patroni", "systemctl start --no-block patroni.service");
  const failure = await untilLeads(restore, host, since, progress);
  if (failure !== undefined) {
    progress("putting the old data back");
    await putBack(restore, host, aside, `failed-restore-${stamp}`);
    done();
    throw new PgherdError(
      `the restore failed; the cluster runs as before.\n${failure}`,
      `What was restored is kept on ${first} as ${data}.failed-restore-${stamp}.`,
    );
  }
  await host(first).change("ending the order", endRestoreOrder());
  await untilFollowed(restore, host, progress);
  progress("rebuilding the replicas");
  await Promise.all(
    others.map((name) =>
      host(name).change("starting Patroni", "systemctl start --no-block patroni.service"),
    ),
  );
  const view = await untilWhole(restore, host, progress);
  done();
  const leader = view.members.find(({ role }) => role === "leader");
  const result = {
    cluster,
    backup: restore.backup.id,
    timeline: leader?.timeline,
    seconds: Math.round((Date.now() - started) / 1000),
    bytes: restore.backup.size,
    kept: `${data}.${aside}`,
  };
  process.stdout.write(
    silent
      ? `${JSON.stringify(result, null, 2)}\n`
      : `Done after ${spanOf(result.seconds)}: ${cluster} is on timeline ${String(result.timeline)}, at ${describe(restore.target)}.\n` +
          `The data from before is ${result.kept} on ${members.join(", ")}: remove it when you need it no more.\n` +
          "Next: pgherd backup now, so that the way back from here is short.\n",
  );
}

/** Waits until the first member leads. Returns why it does not, if it never will. */
async function untilLeads(
  { plan, first, data, backup }: Restore,
  host: (name: string) => Host,
  since: number,
  progress: (text: string) => void,
): Promise<string | undefined> {
  const endpoint = plan.patroni.members[first] as string;
  const end = Date.now() + RESTORE_SECONDS * 1000;
  while (Date.now() < end) {
    await sleep(1000);
    const [view, seen] = await Promise.all([
      host(first).observe(clusterViewProbe(endpoint)),
      host(first).observe(restoreProgressProbe(data, since)),
    ]);
    const own = view?.members.find(({ name }) => name === first);
    if (own?.role === "leader" && own.state === "running") return undefined;
    if (seen.failed) return seen.said;
    const percent = Math.min(100, Math.round((100 * seen.bytes) / Math.max(1, backup.size)));
    progress(
      percent < 98
        ? `copying: ${percent} % of ${sizeOf(backup.size)}`
        : `replaying WAL on ${first}${own ? ` (${own.state})` : ""}`,
    );
  }
  return `it took longer than ${spanOf(RESTORE_SECONDS)}`;
}

/** Seconds that the backup host has to follow the new timeline; else replicas are copied from the leader. */
const FOLLOW_SECONDS = 60;

/** Replicas can be made from the backup only once the backup host knows of the new timeline. */
async function untilFollowed(
  { plan, first }: Restore,
  host: (name: string) => Host,
  progress: (text: string) => void,
): Promise<void> {
  const backup = plan.backup as NonNullable<ClusterPlan["backup"]>;
  progress(`waiting until ${backup.host} follows the new timeline`);
  const view = await host(first).observe(clusterViewProbe(plan.patroni.members[first] as string));
  const timeline = view?.members.find(({ name }) => name === first)?.timeline ?? 1;
  for (const end = Date.now() + FOLLOW_SECONDS * 1000; Date.now() < end; await sleep(1000)) {
    const history = await host(backup.host).observe(historyProbe(backup.home, timeline));
    if (history.length > 0) return;
  }
}

async function untilWhole(
  { plan, first, members }: Restore,
  host: (name: string) => Host,
  progress: (text: string) => void,
): Promise<ClusterView> {
  const endpoint = plan.patroni.members[first] as string;
  const end = Date.now() + RESTORE_SECONDS * 1000;
  for (;;) {
    const view = await host(first).observe(clusterViewProbe(endpoint));
    const up = (view?.members ?? []).filter(({ state }) =>
      ["running", "streaming"].includes(state),
    );
    const timelines = new Set(up.map(({ timeline }) => timeline));
    if (view && up.length === members.length && timelines.size === 1) return view;
    if (Date.now() > end) {
      throw new PgherdError(
        "the leader is restored, but not all replicas follow it.",
        "Next: pgherd status, and journalctl -u patroni on those that do not.",
      );
    }
    progress(`rebuilding the replicas: ${up.length} of ${members.length} members run`);
    await sleep(1000);
  }
}

async function putBack(
  { cluster, plan, first, members, data, binDirectory, systemIdentifier }: Restore,
  host: (name: string) => Host,
  aside: string,
  failed: string,
): Promise<void> {
  const endpoints = Object.values(plan.etcd.members);
  const etcd = host(Object.keys(plan.etcd.members)[0] as string);
  await Promise.all(
    members.map((name) =>
      host(name).change(
        "putting data back",
        `set -e\n${stopMember(data, binDirectory)}\n${putDataBack(data, aside, failed)}`,
        { timeoutSeconds: 3700 },
      ),
    ),
  );
  await etcd.change("forgetting the attempt", `set -e\n${forgetCluster(endpoints, cluster)}`);
  if (systemIdentifier) {
    await etcd.change(
      "remembering the cluster",
      `set -e\n${rememberCluster(endpoints, cluster, systemIdentifier)}`,
    );
  }
  const start = "systemctl start --no-block patroni.service";
  await host(first).change("starting Patroni", start);
  await sleep(5000);
  await Promise.all(
    members
      .filter((name) => name !== first)
      .map((name) => host(name).change("starting Patroni", start)),
  );
}
