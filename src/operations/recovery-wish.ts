import type { BackupCatalog } from "../facts/barman";
import type { RestoreTarget } from "./restore";

/** A cluster's backups and WAL on a host that keeps them. */
export interface Archive {
  readonly host: string;
  /** Barman's folder of the cluster: `/var/lib/barman/demo`. */
  readonly home: string;
  /** PostgreSQL's programs there: `/usr/lib/postgresql/17/bin`. */
  readonly binDirectory: string;
  /** What is there. */
  readonly catalog: BackupCatalog;
}

/** What somebody wants to have back. */
export interface RecoveryWish {
  readonly target: RestoreTarget;
  /** Of a target of time, in seconds since 1970; NaN if it cannot be read. */
  readonly time?: number;
  /** Id of the backup to begin with, if the user wants a certain one. */
  readonly backup?: string;
  /** The timeline that is to be followed, if the user wants a certain one. */
  readonly timeline?: number;
  /** The timeline that the database is on. Default: the newest that the archive has. */
  readonly present?: number;
  /** Until when and where there is WAL of the present timeline. Default: what was received. */
  readonly until?: { readonly time: number; readonly lsn: string };
  /** What the user said the target by: `--target-`, of which the target's kind is the end. */
  readonly saidBy: string;
  /** What the user says a timeline by, where that is possible: `--target-timeline`. */
  readonly timelineBy?: string;
}

/** A target in words. */
export function inWords({ time, xid, lsn, name }: RestoreTarget): string {
  if (time !== undefined) return `the last commit before ${time}`;
  if (xid !== undefined) return `transaction ${xid}`;
  if (lsn !== undefined) return `position ${lsn}`;
  return name !== undefined ? `the point "${name}"` : "the end of the archive";
}
