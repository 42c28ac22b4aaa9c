import type { BackupSettings, ClusterSettings, Settings } from "../config/schema";
import { longestGapDays } from "../config/schedule";
import { bytesOf } from "../config/size";
import { distributionOf } from "../distributions/distributions";
import type { RoleInput } from "../resources/inputs/database";
import type { LinkInput } from "../resources/inputs/logins";
import { barman, BARMAN_UNITS, serverFile } from "../roles/barman";
import { MEMBER_FILE, patroni, programsDirectory } from "../roles/patroni";
import { BARMAN_OPTION, ownSettings, RECEIVER_NAME } from "../session-settings";
import { addressOf, canonical } from "./addresses";
import {
  backupTimers,
  backupUnits,
  METRICS,
  RECEIVE,
  TAKE,
  UPKEEP,
  unitFile,
} from "./backup-units";
import { sshConfig, sshPort } from "./logins";
import { script } from "./script";
import { render } from "./template";
import type { BackupPlan, LoginsPlan, PatroniPlan, ServicePlan } from "./types";
import { verifyFiles } from "./verify";

/** The slot that keeps WAL on the leader for the backup host. */
export const BACKUP_SLOT = "barman";

/**
 * What Barman's checks ask for unless the receiver uses a slot, which it must not (templates/barman/server.conf). WAL
 * comes by streaming: an archive_command that fails while the backup host is away would keep WAL without limit.
 */
export const BARMAN_CHECKS = { archive_mode: "on", archive_command: "/bin/true" };

/** What Barman connects as: to start and end a backup, and to receive WAL. */
export const BACKUP_ROLES = { backup: "barman", streaming: "streaming_barman" } as const;

const BARMAN_USER = barman.user;
export const POSTGRES_USER = patroni.user;

/** What sshd runs for a database host on the backup host, and the other way round; hosts have them by their first names. */
const READ_BACKUPS = "/var/lib/pgherd/backup-door";
const READ_MEMBER = "/var/lib/pgherd/backup-window";

const LEADER = "/var/lib/pgherd/backup-leader";
const JUDGE = "/var/lib/pgherd/backup-judge";
/** How long a backup waits while nothing comes of the WAL that it needs. It is told of within a minute. */
const WAL_PATIENCE_SECONDS = 45;
const PASSWORDS = "/var/lib/pgherd/backup-passwords";

/** Where a cluster's backups come from: its own backup host, or for its beginning that of another cluster. */
interface Source {
  readonly host: string;
  /** Barman's folder of the cluster: `/var/lib/barman/demo`. */
  readonly home: string;
}

/** Barman's folder of this cluster. */
export function homeOf({ directory }: Pick<BackupSettings, "directory">, cluster: string): string {
  return `${directory}/${cluster}`;
}

function sources({ name, backup, postgresql }: ClusterSettings): Source[] {
  const { bootstrap } = postgresql;
  return [
    ...(backup ? [{ host: backup.host, home: homeOf(backup, name) }] : []),
    ...(bootstrap ? [{ host: bootstrap.host, home: homeOf(bootstrap, bootstrap.cluster) }] : []),
  ];
}

/** What must hold of the backups; nothing where there are none. */
export function planBackup({ cluster }: Settings): BackupPlan | undefined {
  const { backup } = cluster;
  if (!backup) return undefined;
  return {
    host: backup.host,
    home: homeOf(backup, cluster.name),
    slot: BACKUP_SLOT,
    port: cluster.postgresql.port,
    timers: backupTimers(cluster, backup),
    maximumAgeDays: maximumAgeDays(backup),
    verifyWithinDays: backup.verify ? longestGapDays(backup.verify.schedule) + 1 : null,
    metrics: METRICS,
    results: resultsOf(cluster),
  };
}

/** What Barman connects with. */
export function backupPasswords({ backup }: ClusterSettings): PatroniPlan["passwords"] {
  if (!backup) return {};
  return {
    [BACKUP_ROLES.backup]: { role: "barman", name: "barman" },
    [BACKUP_ROLES.streaming]: { role: "barman", name: "streaming-barman" },
  };
}

/** Roles that Barman needs, with no more rights than that (Barman 3.13, "PostgreSQL users"). */
export function backupRoles({ backup, postgresql }: ClusterSettings): RoleInput[] {
  if (!backup) return [];
  const plain = { createdb: false, createrole: false, connectionLimit: -1 };
  const since15 = postgresql.version >= 15;
  return [
    {
      ...plain,
      name: BACKUP_ROLES.backup,
      replication: false,
      memberOf: [
        ...(since15 ? ["pg_checkpoint"] : []),
        "pg_read_all_settings",
        "pg_read_all_stats",
      ],
      executes: [
        ...(since15 ? ["pg_backup_start(text,boolean)", "pg_backup_stop(boolean)"] : []),
        "pg_create_restore_point(text)",
        // Not Barman's own: the receiver looks whether the leader still has the WAL that comes next.
        "pg_ls_waldir()",
        ...(since15
          ? []
          : ["pg_start_backup(text,boolean,boolean)", "pg_stop_backup(boolean,boolean)"]),
        "pg_switch_wal()",
      ],
      // Barman's own connection waits for as long as the files are copied.
      settings: ownSettings(postgresql.version),
    },
    { ...plain, name: BACKUP_ROLES.streaming, replication: true, memberOf: [], executes: [] },
  ];
}

/** Logins between the hosts that read backups or are read by them, each for one command only. */
export function planLogins(settings: Settings): LoginsPlan | undefined {
  const { hosts, cluster } = settings;
  const from = sources(cluster);
  if (from.length === 0) return undefined;
  const { backup } = cluster;
  const members = cluster.members.map(({ host }) => host);
  const target = (host: string) => ({
    to: host,
    address: addressOf(hosts, host),
    port: sshPort(settings, host),
  });
  const source = (host: string) => ({ from: host, fromAddress: addressOf(hosts, host) });
  const links: LinkInput[] = [
    ...members.flatMap((member) =>
      from.map(({ host, home }) => ({
        ...target(host),
        ...source(member),
        fromUser: POSTGRES_USER,
        toUser: BARMAN_USER,
        command: `${READ_BACKUPS} ${home}`,
      })),
    ),
    ...(backup
      ? members.map((member) => ({
          ...target(member),
          ...source(backup.host),
          fromUser: BARMAN_USER,
          toUser: POSTGRES_USER,
          command: READ_MEMBER,
        }))
      : []),
  ];
  return {
    links,
    files: Object.fromEntries([
      ...from.map(
        ({ host }) => [host, script(READ_BACKUPS, "barman/read-backups.sh", {})] as const,
      ),
      ...(backup
        ? members.map(
            (member) =>
              [
                member,
                script(READ_MEMBER, "barman/read-member.sh", { patroni: MEMBER_FILE }),
              ] as const,
          )
        : []),
    ]),
  };
}

/** What libpq connects to the entry point by, or without one to whichever member takes writes. */
function conninfo({ hosts, cluster }: Settings, user: string): string {
  const balancers = cluster.loadBalancers;
  const vips = balancers?.vip.map((vip) => vip.replace(/\/.*/, "")) ?? [];
  const names = balancers?.hosts ?? cluster.members.map(({ host }) => host);
  const addresses = vips.length > 0 ? vips : names.map((name) => addressOf(hosts, name));
  return [
    `host=${addresses.join(",")}`,
    `port=${balancers?.ports.primary ?? cluster.postgresql.port}`,
    `user=${user}`,
    `passfile=${PASSWORDS}`,
    "connect_timeout=10",
    ...(balancers ? [] : ["target_session_attrs=read-write"]),
  ].join(" ");
}

/** Barman on the backup host. */
export function planBackupServices(settings: Settings): ServicePlan[] {
  const { cluster } = settings;
  const { backup, name } = cluster;
  if (!backup) return [];
  const home = homeOf(backup, name);
  const locks = distributionOf(cluster).homes.barman;
  const binDirectory = programsDirectory(cluster);
  const streamingConninfo = `${conninfo(settings, BACKUP_ROLES.streaming)} application_name=${RECEIVER_NAME}`;
  const ordinary = `${conninfo(settings, BACKUP_ROLES.backup)} dbname=postgres`;
  const owned = { owner: BARMAN_USER, group: BARMAN_USER };
  const common = { name, home, binDirectory, streamingConninfo, metrics: METRICS };
  return [
    {
      host: backup.host,
      daemon: "barman",
      directories: {
        [backup.directory]: { mode: "0750", ...owned },
        [home]: { mode: "0700", ...owned },
        [METRICS]: { mode: "0755", ...owned },
        [resultsOf(cluster)]: { mode: "0700", ...owned },
      },
      files: {
        [serverFile(name)]: {
          mode: "0640",
          owner: "root",
          group: BARMAN_USER,
          content: render("barman/server.conf", {
            ...common,
            conninfo: `${ordinary} ${BARMAN_OPTION}`,
            streamingConninfo: `${streamingConninfo} ${BARMAN_OPTION}`,
            leaderCommand: LEADER,
            receiverUnit: BARMAN_UNITS.receiver,
            incremental: backup.incremental,
            jobs: backup.jobs,
            bandwidth: backup.bandwidth ? Math.ceil(bytesOf(backup.bandwidth) / 1024) : null,
            compression: backup.compression === "none" ? null : backup.compression,
            retention: backup.retention,
            minimumRedundancy: backup.minimumRedundancy,
            maximumAge: `${maximumAgeDays(backup)} DAYS`,
          }),
        },
        ...script(LEADER, "barman/leader.sh", {
          conninfo: ordinary,
          sshConfig: sshConfig(BARMAN_USER),
          members: cluster.members.map(({ host }) => canonical(addressOf(settings.hosts, host))),
        }),
        ...script(RECEIVE, "barman/receive.sh", {
          ...common,
          conninfo: ordinary,
          lock: `${locks}/.${name}-receive-wal.lock`,
        }),
        ...script(JUDGE, "barman/judge.sh", { home }),
        ...script(TAKE, "barman/take.sh", {
          ...{ name, home, judge: JUDGE, patience: WAL_PATIENCE_SECONDS },
          ...{ lock: `${locks}/.${name}-backup.lock`, receiverUnit: BARMAN_UNITS.receiver },
        }),
        ...script(UPKEEP, "barman/upkeep.sh", { ...common, slot: BACKUP_SLOT, judge: JUDGE }),
        ...verifyFiles(cluster, unitFile(BARMAN_UNITS.verify), {
          ...common,
          description: `Test restore of the newest backup of ${name}`,
          barman: BARMAN_USER,
          readBackups: READ_BACKUPS,
          results: resultsOf(cluster),
        }),
        ...backupUnits(cluster, backup),
      },
      secretFiles: {
        [PASSWORDS]: {
          mode: "0600",
          ...owned,
          template: "barman/pgpass",
          values: { roles: BACKUP_ROLES },
          secrets: {
            barman: { role: "barman", name: "barman" },
            barmanStreaming: { role: "barman", name: "streaming-barman" },
          },
        },
      },
    },
  ];
}

function resultsOf({ name }: ClusterSettings): string {
  return `/var/lib/pgherd/verified-${name}`;
}

/** A day more than lies between two backups. */
function maximumAgeDays({ schedule }: BackupSettings): number {
  return longestGapDays(schedule) + 1;
}
