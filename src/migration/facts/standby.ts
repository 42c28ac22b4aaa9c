import type { Probe } from "../../host/host";
import { hereDocument, quote } from "../../host/shell";
import type { StandbyInputs } from "../inputs/standby";
import type { StreamInput } from "../inputs/survey";
import { psql } from "../../facts/postgres";
import { literal } from "../../facts/sql";
import { findServer, serverRequired } from "../../facts/find-server";

/** Which old server is asked, as part of the inputs of all that deals with it. */
export type OldServer = Pick<StandbyInputs, "port" | "superuser">;

/** A script after which `ask postgres` runs SQL in that database of the old server. */
export function findOldServer({ port, superuser }: OldServer): string {
  return `${findServer(port, superuser)}
${serverRequired(port)}`;
}

/** A script that runs SQL in the database `postgres` of the old server. */
export function askOldServer(server: OldServer, sql: string): string {
  return `${findOldServer(server)}\nask postgres ${hereDocument(sql)}`;
}

/** How many transactions wait for their second phase: they would be committed on one of the two servers only. */
export function preparedTransactionsProbe(server: OldServer): Probe<number> {
  return {
    script: askOldServer(server, "select count(*) from pg_prepared_xacts;\n"),
    parse: Number,
  };
}

/** What the old server has for a standby cluster. */
export interface StreamRights {
  /** Whether the role may replicate; `undefined` if there is no such role. */
  readonly replication?: boolean;
  /** Its stored password: `SCRAM-SHA-256$…`, `md5…` or empty. */
  readonly verifier: string;
  /** By member: how pg_hba.conf lets the role in for replication from there; absent where no line does. */
  readonly methods: { readonly [member: string]: string };
  /** How many streams and slots are free. */
  readonly freeSenders: number;
  readonly freeSlots: number;
  readonly walLevel: string;
}

/** Whether the members may stream from the old server. Lines of pg_hba.conf with host names are not looked at. */
export function streamRightsProbe(
  server: OldServer,
  { role, from }: Pick<StreamInput, "role" | "from">,
): Probe<StreamRights> {
  const members = Object.entries(from)
    .map(([name, address]) => `(${literal(name)}, inet ${literal(address)})`)
    .join(", ");
  const sql = `select json_strip_nulls(json_build_object(
  'replication', (select rolreplication and rolcanlogin or rolsuper from pg_roles where rolname = ${literal(role)}),
  'verifier', coalesce((select rolpassword from pg_authid where rolname = ${literal(role)}), ''),
  'methods', coalesce((select json_object_agg(name, method) from (
      select distinct on (name) name, auth_method as method
      from (values ${members}) as members (name, client), pg_hba_file_rules as rule
      where error is null and type like 'host%' and type <> 'hostgssenc' and 'replication' = any (database)
        and user_name && array['all', ${literal(role)}]
        and case when address = 'all' then true
          when address !~ '^[0-9a-f.:]+$' or family(address::inet) <> family(client) then false
          else host(client & netmask::inet) = host(address::inet & netmask::inet) end
      order by name, coalesce((to_json(rule)->>'rule_number')::int, line_number)) as first), '{}'),
  'freeSenders', current_setting('max_wal_senders')::int - (select count(*) from pg_stat_replication),
  'freeSlots', current_setting('max_replication_slots')::int - (select count(*) from pg_replication_slots),
  'walLevel', current_setting('wal_level')));
`;
  return {
    script: askOldServer(server, sql),
    parse: (output) => JSON.parse(output) as StreamRights,
  };
}

/** Whether something listens at this address, asked from another host. */
export function reachesProbe(address: string, port: number): Probe<boolean> {
  return {
    // Who does not let us in is not reached, for whatever reason.
    script: `timeout 5 bash -c ': <"/dev/tcp/$1/$2"' bash ${quote(address)} ${port} 2>/dev/null && echo yes || :`,
    parse: (output) => output.trim() === "yes",
  };
}

/** How the old server keeps WAL for a standby cluster. */
interface OldSlot {
  /** `reserved`, `extended`, `unreserved`, or `lost` where it has had to give some up (pg_replication_slots). */
  readonly status: string;
  readonly active: boolean;
  /** Bytes of WAL that whoever uses it has not replayed yet. */
  readonly lagBytes: number;
}

/** The slot of the cluster; `undefined` if there is none. */
export function oldSlotProbe(server: OldServer, slot: string): Probe<OldSlot | undefined> {
  const sql = `select json_build_object('status', coalesce(wal_status, 'lost'), 'active', active,
    'lagBytes', coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(replay_lsn, restart_lsn)), 0)::bigint)
  from pg_replication_slots left join pg_stat_replication on pid = active_pid where slot_name = ${literal(slot)};
`;
  return {
    script: askOldServer(server, sql),
    parse: (output) => (output.trim() === "" ? undefined : (JSON.parse(output) as OldSlot)),
  };
}

/** A first copy of the data that a server sends. */
export interface Copy {
  /** Who makes it. */
  readonly address: string;
  /** Absent while the server still counts what there is. */
  readonly percent?: number;
}

const COPIES = `select coalesce(json_agg(json_strip_nulls(json_build_object('address', coalesce(host(client_addr), ''),
    'percent', case when backup_total > 0 then least(100, round(100.0 * backup_streamed / backup_total)) end))), '[]')
  from pg_stat_progress_basebackup join pg_stat_replication using (pid);
`;

/** Copies that a member is sending now; none where it cannot be asked. */
export function copiesProbe(port: number): Probe<Copy[]> {
  return {
    // Only how far a copy has come is shown by it.
    script: `(cd / && ${psql(port, "postgres")} 2>/dev/null ${hereDocument(COPIES)}) || :`,
    parse: parseCopies,
  };
}

/** Copies that the old server is sending now; none where it cannot be asked. */
export function oldCopiesProbe(server: OldServer): Probe<Copy[]> {
  // Only how far a copy has come is shown by it.
  return { script: `(${askOldServer(server, COPIES)}) 2>/dev/null || :`, parse: parseCopies };
}

function parseCopies(output: string): Copy[] {
  return output.trim() === "" ? [] : (JSON.parse(output) as Copy[]);
}

/** Whether a standby has replayed all WAL up to this position, within some seconds. */
export function replayedProbe(port: number, position: string, seconds: number): Probe<boolean> {
  return comesTrue(port, `pg_last_wal_replay_lsn() >= ${literal(position)}`, seconds);
}

/**
 * Whether a standby has become a primary, within some seconds. Only the server itself knows: the leader of a standby
 * cluster holds the lock before, so that Patroni calls it the primary at once.
 */
export function promotedProbe(port: number, seconds: number): Probe<boolean> {
  return comesTrue(port, "not pg_is_in_recovery()", seconds);
}

/** Asks a member twenty times a second. */
function comesTrue(port: number, condition: string, seconds: number): Probe<boolean> {
  const sql = `select ${condition};\n`;
  return {
    script: `cd /
end=$(($(date +%s) + ${seconds}))
until [ "$(${psql(port, "postgres")} ${hereDocument(sql).trimEnd()}
)" = t ]; do [ "$(date +%s)" -lt $end ] || exit 0; sleep 0.05; done
echo yes`,
    parse: (output) => output.trim() === "yes",
  };
}
