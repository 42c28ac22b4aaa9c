import type { Probe } from "../host/host";
import { hereDocument } from "../host/shell";
import { psql } from "./postgres";

const SEGMENT =
  "(select setting::bigint as bytes from pg_settings where name = 'wal_segment_size') as segment";

const NEEDED = `select coalesce(json_object_agg(slot_name, floor((restart_lsn - '0/0'::pg_lsn) / bytes)), '{}')
  from pg_replication_slots, ${SEGMENT} where slot_type = 'logical' and restart_lsn is not null;
`;

// A segment's name holds its number in two halves of 32 bits, the second of which counts up to 4 GB of WAL
// (access/xlog_internal.h, XLogFileName). pg_walfile_name() is forbidden on a standby.
const OLDEST = `select coalesce(min(('x' || substr(name, 9, 8))::bit(32)::bigint * (4294967296 / bytes)
    + ('x' || substr(name, 17, 8))::bit(32)::bigint), 0)
  from pg_ls_waldir(), ${SEGMENT} where name ~ '^[0-9A-F]{24}$';
`;

/** The number of the WAL segment from which each logical slot of a member reads on. */
export function slotSegmentsProbe(port: number): Probe<{ readonly [slot: string]: number }> {
  return {
    script: `cd / && ${psql(port, "postgres")} ${hereDocument(NEEDED)}`,
    parse: (output) => JSON.parse(output) as { [slot: string]: number },
  };
}

/** The number of the oldest WAL segment that a member has. */
export function oldestSegmentProbe(port: number): Probe<number> {
  return {
    script: `cd / && ${psql(port, "postgres")} ${hereDocument(OLDEST)}`,
    parse: Number,
  };
}
