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

/** Sessions of clients that have all of this in common. */
interface SessionGroup {
  readonly user: string;
  readonly database: string;
  readonly application: string;
  /** An address, or `socket`. */
  readonly from: string;
  /** `active`, `idle`, `idle in transaction`… */
  readonly state: string;
  readonly count: number;
  /** Of the oldest transaction among them; absent where none has one. */
  readonly openSeconds?: number;
}

/** Who is connected to a server. */
export interface Sessions {
  /** The largest groups. */
  readonly sessions: readonly SessionGroup[];
  /** Of clients, those that are not listed included. */
  readonly total: number;
  /** `max_connections` */
  readonly maximum: number;
}

/** Groups that are told; an application that names itself anew each time would make thousands. */
const GROUPS = 100;

// A client chooses its application's name; what it asks for is nobody else's business.
const SESSIONS = `with clients as (select coalesce(usename, '') as "user", coalesce(datname, '') as "database",
    application_name as application, coalesce(host(client_addr), 'socket') as "from", coalesce(state, '') as state,
    floor(extract(epoch from now() - xact_start))::int as open
  from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()),
groups as (select "user", "database", application, "from", state, count(*)::int as count, max(open) as "openSeconds"
  from clients group by 1, 2, 3, 4, 5 order by count(*) desc, 1, 2, 3, 4, 5 limit ${GROUPS})
select json_build_object('sessions', (select coalesce(json_agg(json_strip_nulls(row_to_json(groups))), '[]') from groups),
  'total', (select count(*) from clients), 'maximum', current_setting('max_connections')::int);
`;

/** Who is connected to the server on this host's port. */
export function sessionsProbe(port: number): Probe<Sessions> {
  return {
    script: `cd / && ${psql(port, "postgres")} ${hereDocument(SESSIONS)}`,
    parse: (output) => JSON.parse(output) as Sessions,
  };
}
