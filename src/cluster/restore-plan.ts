import { catalogOfBackupsProbe, type BaseBackup } from "../facts/barman";
import { systemIdentifierProbe } from "../facts/patroni";
import type { Places } from "../facts/places";
import { describeRestore } from "../facts/restore-record";
import type { BackupStatusPlan } from "../operations/backup-status";
import { demandAll } from "../operations/ask";
import { leaderOf } from "../facts/member-state";
import { findRecovery } from "../operations/recovery-window";
import { inWords } from "../operations/recovery-wish";
import {
  positionProbe,
  roomProbe,
  type Branch,
  type Room,
  type RestoreTarget,
} from "../operations/restore";
import { sizeOf, spanOf, timeOf } from "../operations/words";
import { observe, Refusal, type Cluster, type Intent } from "./cluster";
import { dataOf, observeRestores } from "./restore-steps";
import { considerTablespaces, type Elsewhere, type TablespacesIntent } from "./restore-tablespaces";

/** A cluster that can be restored, beside what every verb knows of it. */
export interface RestorableCluster extends Cluster {
  readonly backup: BackupStatusPlan;
  /** Who restores, for those who find it halfway: `anna@desk`. */
  readonly by: string;
  /** Begins anew with all hosts: with other connections, and without the locks that were had by the ones before. */
  renew(): void;
  /** Of each member. */
  readonly places: { readonly [member: string]: Places };
  /** A member's command that gets the history of a timeline, as PostgreSQL's restore_command. */
  readonly history: string;
  /** PostgreSQL's programs on the backup host: `/usr/lib/postgresql/17/bin`. */
  readonly binDirectory: string;
  /** A member's own script that fills a data directory from a backup. */
  readonly fill: string;
  /** PostgreSQL's settings of a recovery up to this target, along this timeline. */
  recovery(
    target: RestoreTarget,
    timeline: number,
  ): readonly { readonly name: string; readonly value: string }[];
}

export interface RestoreRequest {
  readonly target: RestoreTarget;
  /** Of a target of time, in seconds since 1970; NaN if it cannot be read. */
  readonly time?: number;
  /** Id of the backup to begin with, if the user wants a certain one. */
  readonly backup?: string;
  /** The timeline to follow, if it is another than the one that the database is on. */
  readonly timeline?: number;
  /** Other places for tablespaces. Default: where each was when the backup was taken. */
  readonly tablespaces?: Elsewhere;
}

/** Everything that is known of a restore before anything is changed. */
export interface RestoreIntent extends Intent {
  readonly target: RestoreTarget;
  readonly backup: BaseBackup;
  /** The timeline that is followed. */
  readonly timeline: number;
  /** The member that is restored first and leads then. */
  readonly first: string;
  readonly members: readonly string[];
  /** Of a restore of all there is: where its WAL must be replayed to at the least. */
  readonly end?: Branch;
  /** Whether the first one leads now. */
  readonly leads: boolean;
  /** Of the present data, as far as it can be asked for. */
  readonly systemIdentifier?: string;
  /** What was not in order before. */
  readonly problems: readonly string[];
  /** What becomes of tablespaces, where there are any. */
  readonly tablespaces?: Pick<TablespacesIntent, "places" | "moved">;
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
  // One that lived on with the present data would lead with it again.
  demandAll(silent, (names) => `a restore changes all members, and ${names} cannot be reached`);
  const [before] = Object.values(found);
  if (before) throw new Refusal("The restore", [describeRestore(before)]);
  const [catalog, status] = await Promise.all([
    host(at.host).observe(catalogOfBackupsProbe(at.home, at.results)),
    observe(cluster),
  ]);
  const leader = leaderOf(status);
  const first = leader ?? members.find((name) => !plan.patroni.neverLead.includes(name)) ?? "";
  const present = status.members.find(({ name }) => name === leader)?.timeline;
  const { backup, timeline, end, refusals } = await findRecovery(
    { host: at.host, home: at.home, binDirectory: cluster.binDirectory, catalog },
    {
      ...request,
      present,
      // What the leader has written last is received before it stops.
      until:
        leader === undefined
          ? undefined
          : {
              time: catalog.now,
              lsn: await host(leader).observe(positionProbe(plan.patroni.port)),
            },
      saidBy: "--target-",
      timelineBy: "--target-timeline",
    },
    (probe) => host(at.host).observe(probe),
  );
  if (refusals.length > 0 || !backup || timeline === undefined) {
    throw new Refusal("The restore", refusals);
  }
  const [rooms, tablespaces] = await Promise.all([
    roomsOf(cluster),
    considerTablespaces(cluster, backup, request.tablespaces ?? {}),
  ]);
  return {
    ...{ target, backup, timeline, first, members },
    ...{ problems: status.problems, leads: leader !== undefined },
    ...(Object.keys(target).length === 0 && { end }),
    systemIdentifier: await host(first).observe(
      systemIdentifierProbe(plan.patroni.members[first] ?? ""),
    ),
    tablespaces,
    refusals: [
      ...withoutRoom(cluster, backup.size - tablespaces.size, rooms),
      ...tablespaces.refusals,
    ],
    objections: [],
    effects: [
      ...effectsOf(cluster, request, backup, first, catalog.now, tablespaces),
      ...walMoves(cluster, rooms),
      ...(timeline === present || present === undefined
        ? []
        : [
            `follows timeline ${timeline}, and not ${present}, which the database is on: loses what was committed on that one since`,
          ]),
    ],
  };
}

/** What members have room for, by name. */
type Rooms = readonly (readonly [member: string, room: Room])[];

function roomsOf({ places, host }: RestorableCluster): Promise<Rooms> {
  return Promise.all(
    Object.entries(places).map(
      async ([name, { dataDirectory }]) =>
        [name, await host(name).observe(roomProbe(dataDirectory))] as const,
    ),
  );
}

/**
 * The old data stays, so that there must be room for both. What is a file system of its own cannot be renamed, and what is kept
 * in a folder in it would be in every copy and every backup (backend/backup/basebackup.c, sendDir, takes all that lies there).
 */
export function withoutRoom(
  cluster: Pick<RestorableCluster, "places">,
  size: number,
  rooms: Rooms,
): string[] {
  const needed = size * 1.1 + 512 * 2 ** 20;
  return rooms.flatMap(([name, { free, mounted }]) => {
    const data = dataOf(cluster, name);
    if (mounted) {
      return `${name}: expected ${data} to be a folder that can be set aside, found a file system of its own. Mount the disk one folder higher (docs/backups.md, "A data directory that is a mount point"), or begin a new cluster with the backup (postgresql.bootstrap).`;
    }
    if (free >= needed) return [];
    return `${name}: expected ${sizeOf(needed)} of free space beside ${data}, which stays, found ${sizeOf(free)}.`;
  });
}

/** A backup has no links: WAL that is elsewhere now is the present data's, and stays with it. */
export function walMoves(cluster: Pick<RestorableCluster, "places">, rooms: Rooms): string[] {
  return rooms.flatMap(([name, { walElsewhere }]) =>
    walElsewhere === undefined
      ? []
      : `has the WAL of ${name} in ${dataOf(cluster, name)}/pg_wal itself from then on: ${walElsewhere}, where it is now, stays with the present data. Move it there again when all is done, if you want it there`,
  );
}

function effectsOf(
  { plan, places }: RestorableCluster,
  { target, time }: RestoreRequest,
  backup: BaseBackup,
  first: string,
  now: number,
  tablespaces: Pick<TablespacesIntent, "effects" | "kept">,
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
    `stops every member: ${[`${first} is restored first`, ...(others.length > 0 ? [`${others.join(" and ")} ${others.length > 1 ? "are" : "is"} made from it`] : [])].join(", ")}; clients have no database until then`,
    nothing ? "loses what the archive does not have" : `loses ${after}`,
    ...tablespaces.effects,
    `keeps the present data as ${byFolder([...kept, ...tablespaces.kept]).join(" and ")}`,
  ];
}

/** Folders with the members that have them: `["/srv/shop on db1", "/var/lib/postgresql/17/main on db2, db3"]`. */
export function byFolder(
  folders: readonly (readonly [member: string, folder: string])[],
): string[] {
  return [...new Set(folders.map(([, folder]) => folder))].map((folder) => {
    const members = folders
      .filter(([, other]) => other === folder)
      .map(([member]) => member)
      .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    return `${folder} on ${members.join(", ")}`;
  });
}
