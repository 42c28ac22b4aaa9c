import type { Probe } from "../host/host";
import { hereDocument } from "../host/shell";
import { psql } from "./postgres";

/** A client's transaction that has been open for long. */
export interface LongTransaction {
  readonly pid: number;
  readonly user: string;
  readonly database: string;
  readonly seconds: number;
}

/** Transactions of clients that have been open for longer than this many seconds, the longest first. */
export function longTransactionsProbe(port: number, seconds: number): Probe<LongTransaction[]> {
  const sql = `select coalesce(json_agg(json_build_object('pid', pid, 'user', usename, 'database', datname,
    'seconds', age) order by age desc), '[]') from (
      select pid, usename, datname, floor(extract(epoch from now() - xact_start))::int as age from pg_stat_activity
      where backend_type = 'client backend' and pid <> pg_backend_pid() and xact_start is not null) as open
    where age > ${seconds};
`;
  return {
    script: `cd / && ${psql(port, "postgres")} ${hereDocument(sql)}`,
    parse: (output) => JSON.parse(output) as LongTransaction[],
  };
}

/** Somebody who is copying the server's data. */
export interface RunningBackup {
  readonly pid: number;
  /** The program: `pg_basebackup`, `barman`, or a member's name while it is made. */
  readonly by: string;
  readonly seconds: number;
}

// Barman's rsync method holds a session as long as its backup lasts; its checks are over in a moment.
const BACKUPS = `select coalesce(json_agg(json_build_object('pid', pid, 'by', application_name,
    'seconds', floor(extract(epoch from now() - backend_start))::int) order by backend_start), '[]')
  from pg_stat_activity where pid <> pg_backend_pid() and (pid in (select pid from pg_stat_progress_basebackup)
    or backend_type = 'client backend' and (query ~* '\\mpg_(backup_start|start_backup)\\M'
      or application_name = 'barman' and now() - backend_start > interval '10 seconds'));
`;

/** Backups that are being taken from the server on this host's port. */
export function runningBackupsProbe(port: number): Probe<RunningBackup[]> {
  return {
    script: `cd / && ${psql(port, "postgres")} ${hereDocument(BACKUPS)}`,
    parse: (output) => JSON.parse(output) as RunningBackup[],
  };
}
