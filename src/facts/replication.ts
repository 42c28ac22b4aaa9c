import type { Probe } from "../host/host";
import { ifUpProbe } from "./postgres";

/** A server that streams from the one that was asked (pg_stat_replication). */
interface Standby {
  /** The member's name; other programs that receive WAL have names of their own: `barman_receive_wal`. */
  readonly name: string;
  /** `streaming`, `catchup`, `startup`, `backup`. */
  readonly state: string;
  /** `sync`, `quorum`, `potential` or `async`. */
  readonly syncState: string;
  /** Bytes of WAL that it has not replayed yet. */
  readonly lagBytes?: number;
  /** Seconds between a commit and its replay there, by the latest that was measured; 0 if it has replayed everything. */
  readonly lagSeconds?: number;
}

/** What a server says of the streams from it and to it. */
export interface Streams {
  /** The timeline that it writes, or that a standby receives; absent for a standby that receives nothing. */
  readonly timeline?: number;
  /** The address that a standby receives WAL from; absent for one that receives none. */
  readonly sender?: string;
  /** Only of a primary: it takes writes. */
  readonly writes?: true;
  /** Who streams from it. */
  readonly standbys: readonly Standby[];
}

const STREAMS = `select json_strip_nulls(json_build_object(
  'timeline', case when pg_is_in_recovery() then (select received_tli from pg_stat_wal_receiver)
    else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end,
  'sender', (select sender_host from pg_stat_wal_receiver where status = 'streaming'),
  'writes', case when not pg_is_in_recovery() then true end,
  'standbys', (select coalesce(json_agg(json_build_object('name', application_name, 'state', state,
      'syncState', sync_state, 'lagBytes', greatest(pg_wal_lsn_diff(here, replay_lsn), 0)::bigint,
      'lagSeconds', case when replay_lsn >= here then 0 else round(extract(epoch from replay_lag)::numeric, 3) end)
      order by application_name), '[]')
    from pg_stat_replication, (select case when pg_is_in_recovery() then pg_last_wal_replay_lsn()
      else pg_current_wal_lsn() end as here) as position)));
`;

/** The streams of the server on this host's port; `undefined` where none answers. */
export function streamsProbe(port: number): Probe<Streams | undefined> {
  return ifUpProbe(port, STREAMS, (output) => JSON.parse(output) as Streams);
}
