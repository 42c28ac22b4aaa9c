import type { ClusterSettings, RecoveryTarget, Settings } from "../config/schema";
import { epochOf } from "../config/time";
import type { BootstrapInput } from "../resources/inputs/preflight";
import { programsDirectory } from "../roles/patroni";
import { addressOf } from "./addresses";
import { homeOf, POSTGRES_USER } from "./backup";
import { sshConfig, sshDirectory, sshPort } from "./logins";
import { script } from "./script";
import type { Files } from "./types";

/** A member's own scripts: fill a data directory from a backup, and get a WAL file. */
const FROM_BACKUP = "/var/lib/pgherd/from-backup";
const WAL_FROM_BACKUP = "/var/lib/pgherd/wal-from-backup";

/** What a member needs to read backups: scripts, and how Patroni calls them. */
export function memberBackups(settings: Settings): MemberBackups {
  const { backup, postgresql } = settings.cluster;
  const { bootstrap } = postgresql;
  return {
    files: {
      ...(backup ? readingScripts(settings, backup.host, "") : {}),
      ...(bootstrap ? readingScripts(settings, bootstrap.host, FIRST) : {}),
    },
    replicas: backup && {
      command: FROM_BACKUP,
      restoreCommand: `${WAL_FROM_BACKUP} %f %p`,
      recoveryCommand: `${WAL_FROM_BACKUP} ${WHOLE} %f %p`,
    },
    bootstrap: bootstrap && {
      command: `${FROM_BACKUP}${FIRST} ${firstBackup(bootstrap)}`,
      recovery: recoverySettings(bootstrap.target, `${WAL_FROM_BACKUP}${FIRST} ${WHOLE} %f %p`),
    },
  };
}

/** Ends the names of the scripts that read another cluster's backups, for the first start. */
const FIRST = "-first";

/** Of a recovery that must not end before the archive does. */
const WHOLE = "--whole";

/** Scripts that read from this backup host. */
function readingScripts(settings: Settings, host: string, suffix: string): Files {
  const config = { host, sshConfig: sshConfig(POSTGRES_USER) };
  return {
    ...script(`${FROM_BACKUP}${suffix}`, "patroni/from-backup.sh", config),
    ...script(`${WAL_FROM_BACKUP}${suffix}`, "patroni/wal-from-backup.sh", {
      ...config,
      address: addressOf(settings.hosts, host),
      port: sshPort(settings, host),
      silent: `${sshDirectory(POSTGRES_USER)}/${host}-silent`,
    }),
  };
}

/** Which backup a new cluster begins with, for whoever looks whether there is such a one. */
export function planBootstrap(cluster: ClusterSettings): BootstrapInput | undefined {
  const { bootstrap, version } = cluster.postgresql;
  if (!bootstrap) return undefined;
  const { host, backup, target } = bootstrap;
  return {
    host,
    home: homeOf(bootstrap, bootstrap.cluster),
    binDirectory: programsDirectory(cluster),
    version,
    target: target ?? {},
    ...(target && "time" in target && { time: epochOf(target.time) }),
    ...(backup !== undefined && { backup }),
  };
}

/** Which backup a new cluster begins with, as an argument of the script. */
function firstBackup({
  backup,
  target,
}: NonNullable<ClusterSettings["postgresql"]["bootstrap"]>): string {
  if (backup) return `--backup=${backup}`;
  if (!target) return "--newest";
  if ("time" in target) return `--before=${Math.floor(epochOf(target.time))}`;
  return "lsn" in target ? `--before=${target.lsn}` : "--newest";
}

/** How Patroni makes members from backups. */
interface MemberBackups {
  readonly files: Files;
  readonly replicas?: {
    readonly command: string;
    /** PostgreSQL's, of a replica. */
    readonly restoreCommand: string;
    /** PostgreSQL's, of a recovery up to a target. */
    readonly recoveryCommand: string;
  };
  readonly bootstrap?: {
    readonly command: string;
    readonly recovery: readonly { readonly name: string; readonly value: string }[];
  };
}

/**
 * PostgreSQL's settings of a recovery that ends in a primary (documentation, 19.5.6).
 * @param timeline to follow. Default: the newest of the archive.
 */
export function recoverySettings(
  target: RecoveryTarget | undefined,
  restoreCommand: string,
  timeline?: number,
): { name: string; value: string }[] {
  const [kind, value] = Object.entries(target ?? {})[0] ?? [];
  return [
    { name: "restore_command", value: restoreCommand },
    { name: "recovery_target_timeline", value: String(timeline ?? "latest") },
    { name: "recovery_target_action", value: "promote" },
    ...(kind === undefined
      ? []
      : [{ name: `recovery_target_${kind}`, value: String(value as string | number) }]),
  ];
}
