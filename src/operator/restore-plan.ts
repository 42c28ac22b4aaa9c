import { catalogOfBackupsProbe, type BaseBackup } from "../facts/barman";
import { systemIdentifierProbe } from "../facts/patroni";
import type { Places } from "../facts/places";
import { describeRestore } from "../facts/restore-record";
import type { BackupStatusPlan } from "../operations/backup-status";
import { leaderOf } from "../operations/health";
import { findRecovery, inWords } from "../operations/recovery-window";
import { roomProbe, type Branch, type RestoreTarget } from "../operations/restore";
import { sizeOf, spanOf, timeOf } from "../operations/words";
import { observe, Refusal, type Cluster, type Intent } from "./cluster";
import { observeRestores } from "./restore-steps";

/** A cluster that can be restored, beside what every verb knows of it. */
export interface RestorableCluster extends Cluster {
  readonly backup: BackupStatusPlan;
  /** Who restores, for those who find it halfway: `anna@desk`. */
  readonly by: string;
  /** Begins anew with all hosts: with other connections, and without the locks that were had by the ones before. */
  renew(): void;
  /** Of each member. */
  readonly places: { readonly [member: string]: Places };
  /** PostgreSQL's programs on the backup host: `/usr/lib/postgresql/17/bin`. */
  readonly binDirectory: string;
  /** A member's own script that fills a data directory from a backup. */
  readonly fill: string;
  /** PostgreSQL's settings of a recovery up to this target. */
  recovery(target: RestoreTarget): readonly { readonly name: string; readonly value: string }[];
}

export interface RestoreRequest {
  readonly target: RestoreTarget;
  /** Of a target of time, in seconds since 1970. */
  readonly time?: number;
  /** Id of the backup to begin with, if the user wants a certain one. */
  readonly backup?: string;
}

/** Everything that is known of a restore before anything is changed. */
export interface RestoreIntent extends Intent {
  readonly target: RestoreTarget;
  readonly backup: BaseBackup;
  /** The member that is restored first and leads then. */
  readonly first: string;
  readonly members: readonly string[];
  /** Of a restore of all there is: where its WAL must be replayed to at the least. */
  readonly end?: Branch;
  /** Whether the first one leads now. */
  readonly leads: boolean;
  /** Of the present data, as far as it can be asked for. */
  readonly systemIdentifier?: string;
}

/**
 * Finds out what a restore would do, and whether it can be done.
 * @throws Refusal if backups and WAL do not cover the target.
 */
export async function considerRestore(
  cluster: RestorableCluster,
  request: RestoreRequest,
): Promise<RestoreIntent> {
  const { plan, backup: at, host } = cluster;
  const { target } = request;
  const members = Object.keys(plan.patroni.members);
  const { found, silent } = await observeRestores(cluster);
  for (const problem of Object.values(silent)) throw problem;
  const [before] = Object.values(found);
  if (before) throw new Refusal("The restore", [describeRestore(before)]);
  const [catalog, status] = await Promise.all([
    host(at.host).observe(catalogOfBackupsProbe(at.home, at.results)),
    observe(cluster),
  ]);
  const leader = leaderOf(status);
  const first = leader ?? members.find((name) => !plan.patroni.neverLead.includes(name)) ?? "";
  const { backup, end, refusals } = await findRecovery(
    { host: at.host, home: at.home, binDirectory: cluster.binDirectory, catalog },
    {
      ...request,
      timeline: status.members.find(({ name }) => name === leader)?.timeline,
      // What the leader has written last is received before it stops.
      until: leader === undefined ? undefined : catalog.now,
      saidBy: "--target-",
    },
    (probe) => host(at.host).observe(probe),
  );
  if (refusals.length > 0 || !backup) throw new Refusal("The restore", refusals);
  return {
    ...{ target, backup, first, members, leads: leader !== undefined },
    ...(Object.keys(target).length === 0 && { end }),
    systemIdentifier: await host(first).observe(
      systemIdentifierProbe(plan.patroni.members[first] ?? ""),
    ),
    refusals: [...tablespaces(at, backup), ...(await withoutRoom(cluster, backup))],
    objections: [],
    effects: effectsOf(cluster, request, backup, first, catalog.now),
  };
}

function tablespaces({ host }: BackupStatusPlan, { id, tablespaces: some }: BaseBackup): string[] {
  if (!some) return [];
  return [
    `backup ${id} has tablespaces, which pgherd does not place: restore it with barman on ${host}.`,
  ];
}

/** The old data stays, so that there must be room for both. */
async function withoutRoom(
  { places, host }: RestorableCluster,
  { size }: BaseBackup,
): Promise<string[]> {
  const needed = size * 1.1 + 512 * 2 ** 20;
  const found = await Promise.all(
    Object.entries(places).map(async ([name, { dataDirectory: data }]) => {
      const { free, mounted } = await host(name).observe(roomProbe(data));
      if (mounted) {
        return `${name}: expected ${data} to be a folder that can be set aside, found a file system of its own.`;
      }
      return free < needed
        ? `${name}: expected ${sizeOf(needed)} of free space beside ${data}, which stays, found ${sizeOf(free)}.`
        : "";
    }),
  );
  return found.filter((one) => one !== "");
}

function effectsOf(
  { plan, places }: RestorableCluster,
  { target, time }: RestoreRequest,
  backup: BaseBackup,
  first: string,
  now: number,
): string[] {
  const others = Object.keys(plan.patroni.members).filter((name) => name !== first);
  const after =
    time === undefined
      ? "everything that was committed after it"
      : `everything that was committed after it: the last ${spanOf(now - time)}`;
  const nothing = Object.keys(target).length === 0;
  const kept = Object.entries(places).map(
    ([name, { dataDirectory }]) => [name, `${dataDirectory}.before-restore-TIME`] as const,
  );
  return [
    `goes back to ${inWords(target)}`,
    `begins with backup ${backup.id} of ${timeOf(backup.endedAt)}, ${sizeOf(backup.size)}, and replays the WAL since`,
    `stops every member: ${[`${first} is restored first`, ...(others.length > 0 ? [`${others.join(" and ")} are made from it`] : [])].join(", ")}; clients have no database until then`,
    nothing ? "loses what the archive does not have" : `loses ${after}`,
    `keeps the present data as ${byFolder(kept).join(" and ")}`,
  ];
}

/** Folders with the members that have them: `["/srv/shop on db1", "/var/lib/postgresql/17/main on db2, db3"]`. */
export function byFolder(
  folders: readonly (readonly [member: string, folder: string])[],
): string[] {
  return [...new Set(folders.map(([, folder]) => folder))].map((folder) => {
    const members = folders.filter(([, other]) => other === folder).map(([member]) => member);
    return `${folder} on ${members.join(", ")}`;
  });
}
