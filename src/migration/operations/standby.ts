import type { Dcs } from "../../dcs/dcs";
import { unlessDatabase } from "../../dcs/patroni";
import { psql } from "../../facts/postgres";
import { ORIGINAL } from "../facts/source";
import { literal } from "../../facts/sql";
import { askOldServer, findOldServer, type OldServer } from "../facts/standby";
import { hereDocument } from "../../host/shell";
import type { Source } from "../inputs/source";
import { setAsideCopy } from "./left-copy";

/** Keeps what was found of the old server, on a member: from now on that counts. */
export function keepFound(source: Source): string {
  const record = `${ORIGINAL}/source.json`;
  return `install -d -m 0700 ${ORIGINAL}
(umask 077; cat >${record}.new) ${hereDocument(`${JSON.stringify(source)}\n`)}
sync ${record}.new
mv ${record}.new ${record}`;
}

/** What an earlier migration has left is no copy of this one, as long as the DCS knows of no database. */
export function setAsideLeftCopy(
  dcs: Dcs,
  cluster: string,
  dataDirectory: string,
  source: Pick<Source, "systemIdentifier" | "tablespaces">,
): string {
  return `${unlessDatabase(dcs, cluster)}
${setAsideCopy(dataDirectory, source)}`;
}

/** Has the old server keep all WAL from now on. A slot that has lost some is of no use any more. */
export function reserveWal(server: OldServer, slot: string): string {
  const name = literal(slot);
  return askOldServer(
    server,
    `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ${name} and wal_status = 'lost' and not active;
select pg_create_physical_replication_slot(${name}, true) where not exists (select from pg_replication_slots where slot_name = ${name});
`,
  );
}

/** Ends that WAL is kept, once nobody streams any more. */
export function releaseWal(server: OldServer, slot: string): string {
  const drop = `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ${literal(slot)} and not active;
select count(*) from pg_replication_slots where slot_name = ${literal(slot)};
`;
  return `${findOldServer(server)}
for try in 1 2 3 4 5 6 7 8 9 10; do
  left=$(ask postgres ${hereDocument(drop)}) || exit 1
  [ "$(printf '%s' "$left" | tail -n 1)" = 0 ] && exit 0
  sleep 1
done
echo "the slot ${slot} is still in use" >&2
exit 1`;
}

/** Where each database's limit of connections is kept while it is closed; it is copied to the cluster like all data. */
const MARK = "pgherd.connection_limit";

const MARKED = `(select d.oid, datname, split_part(setting, '=', 2) as limit_before
  from pg_database d join pg_db_role_setting s on s.setdatabase = d.oid and s.setrole = 0, unnest(setconfig) as setting
  where setting like '${MARK}=%')`;

/** All that writes for somebody; the server's own processes do not. */
const WRITERS = `from pg_stat_activity where datid is not null and pid <> pg_backend_pid()
  and backend_type not in ('walsender', 'autovacuum worker')`;

/**
 * Ends all writing: nobody gets into a database any more but superusers into `postgres`, and who is in is put out. Who
 * comes back there is an error.
 * @returns on its last line the position in the WAL up to which everything was written.
 */
export function stopWrites(server: OldServer, seconds: number): string {
  const close = `select format('alter database %I set ${MARK} = %L', datname, datconnlimit::text) from pg_database
  where datallowconn and oid not in (select oid from ${MARKED} as marked) \\gexec
select case when datname = current_database() then format('alter database %I connection limit 0', datname)
  else format('alter database %I allow_connections false', datname) end
  from pg_database where datallowconn \\gexec
`;
  const end = `select count(pg_terminate_backend(pid)) ${WRITERS};
`;
  const who = `select string_agg(format('%s in %s from %s', usename, datname, coalesce(host(client_addr), 'the host itself')), '; ') ${WRITERS};
`;
  // The last commit brings to the disk what was committed asynchronously before it.
  const position = `select pg_create_restore_point('pgherd');
alter database postgres connection limit 0;
`;
  return `${findOldServer(server)}
ask postgres ${hereDocument(close)}
end=$(($(date +%s) + ${seconds}))
until left=$(ask postgres ${hereDocument(end)}) && [ "$left" = 0 ]; do
  if [ "$(date +%s)" -ge $end ]; then
    echo "still connected: $(ask postgres ${hereDocument(who)})" >&2
    exit 1
  fi
  sleep 0.05
done
ask postgres ${hereDocument(position)}`;
}

/** Lets everybody in again who was let in before; nothing where nobody was put out. */
const OPEN = `select format('alter database %I allow_connections true connection limit %s', datname, limit_before),
  format('alter database %I reset ${MARK}', datname) from ${MARKED} as marked \\gexec
`;

/** Ends that the old server takes no writes. */
export function allowWrites(server: OldServer): string {
  return askOldServer(server, OPEN);
}

/** The same on the new leader, which has copied that too. */
export function openDatabases(port: number): string {
  return `cd / && ${psql(port, "postgres")} ${hereDocument(OPEN)}`;
}
