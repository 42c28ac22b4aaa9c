import type { Probe } from "../host/host";
import { hereDocument } from "../host/shell";
import { overridesOf, type SessionOverride } from "./overrides";
import { MARKED, UNCHANGED } from "./pending";
import { ifUpProbe, psql } from "./postgres";

/** What one server has made of its files: green is what it has loaded, not what stands on the disk. */
export interface LoadedFiles {
  /** What it cannot load of them, as they stand now, in its own words; with such a file it would not start again. */
  readonly errors: readonly {
    /** `pg_hba.conf`; nothing where it is the first file that the server cannot read. */
    readonly file: string | null;
    readonly line: number | null;
    /** Of a setting. */
    readonly name: string | null;
    readonly error: string;
  }[];
  /** Lines of pg_hba.conf on its disk. */
  readonly hba: readonly string[];
  /** Whether it has read its files since pg_hba.conf was last written. */
  readonly isRead: boolean;
  /** The server's major version. */
  readonly version?: number;
  /** Settings that the server says wait for a restart. */
  readonly pending?: readonly string[];
  /** Those of them that a restart would leave as they are. */
  readonly unchanged?: readonly string[];
  /** Settings that the server was started with on its command line, which wins over all files, by lower-case name. */
  readonly given?: readonly string[];
  /** Whether it lets somebody use ALTER SYSTEM, and so take back what that has set (PostgreSQL 17, "allow_alter_system"). */
  readonly mayAlter?: boolean;
  /** What ALTER SYSTEM has set, by lower-case name. */
  readonly altered: { readonly [name: string]: string };
  /** What the other files set, Patroni's first, by lower-case name: ALTER SYSTEM may have said the same. */
  readonly configured: { readonly [name: string]: string };
  /** Of the settings that a role or database can break a promise with: what ALTER ROLE and ALTER DATABASE have set. */
  readonly overrides: readonly SessionOverride[];
  /** Commits that wait for a replica to confirm them. */
  readonly waiting: { readonly count: number; readonly seconds: number };
  /** Whom they wait for, as the server has it. */
  readonly synchronousStandbyNames: string;
}

/** Settings by which a role or a database can break a promise. */
const OVERRIDING = [
  ...["synchronous_commit", "zero_damaged_pages", "ignore_checksum_failure"],
  ...["default_transaction_isolation", "role"],
];

/** Settings of a file whose value is looked up in a catalog, where there is one (PostgreSQL, `IsTransactionState` in check hooks). */
const ON_FAITH = [
  "default_tablespace",
  "default_table_access_method",
  "default_text_search_config",
  "temp_tablespaces",
]
  .map((name) => `'${name}'`)
  .join(", ");

/**
 * A setting that waits for a restart has an error in pg_file_settings that is none. Where it waits for its end, since no
 * file has it any more, that error has neither file nor name, but tells the name (PostgreSQL, utils/misc/guc.c). What is in
 * a catalog only a session can look up, in its own database: the server takes such a value on faith, and runs with it. A line of
 * pg_hba.conf that is parsed all the same (for SSL where there is none) keeps no server from starting.
 * pg_ident_file_mappings came with PostgreSQL 15.
 */
const LOADED = `select current_setting('server_version_num')::int >= 150000 as fifteen \\gset
\\set mapping '(select null::int as line_number, null::text as error)'
\\if :fifteen
\\set mapping pg_ident_file_mappings
\\endif
with wrong as (
  select 1 as part, sourceline as line, name, error, regexp_replace(sourcefile, '.*/', '') as file from pg_file_settings as stated
    where error is not null and not (error = 'setting could not be applied'
      and lower(name) in (select lower(name) from pg_settings where pending_restart))
    and not (error = 'setting could not be applied' and lower(name) in (${ON_FAITH})
      and exists (select from pg_settings as running where running.name = lower(stated.name) and reset_val = stated.setting))
    and not (sourcefile is null and name is null and exists (select from pg_settings as waiting
      where waiting.pending_restart and strpos(error, format('"%s"', waiting.name)) > 0))
  union all select 2, line_number, null, error, 'pg_hba.conf' from pg_hba_file_rules where error is not null and type is null
  union all select 3, line_number, null, error, 'pg_ident.conf' from :mapping as mapping where error is not null)
select json_build_object(
  'errors', (select coalesce(json_agg(json_build_object('file', file, 'line', line, 'name', name, 'error', error)
    order by part, line), '[]') from wrong),
  'hba', pg_read_file(current_setting('hba_file')),
  'isRead', (pg_stat_file(current_setting('hba_file'))).modification <= pg_conf_load_time(),
  'version', current_setting('server_version_num')::int / 10000,
  'pending', ${MARKED},
  'unchanged', ${UNCHANGED},
  'given', (select coalesce(json_agg(lower(name) order by name), '[]') from pg_settings where source = 'command line'),
  'mayAlter', coalesce(current_setting('allow_alter_system', true), 'on') = 'on',
  'altered', (select coalesce(json_object_agg(lower(name), setting), '{}') from pg_file_settings
    where name is not null and sourcefile like '%/postgresql.auto.conf'),
  'configured', (select coalesce(json_object_agg(name, setting), '{}') from (
    select distinct on (lower(name)) lower(name) as name, setting from pg_file_settings
    where name is not null and setting is not null and sourcefile not like '%/postgresql.auto.conf'
    order by lower(name), seqno desc) as others),
  'overrides', ${overridesOf(OVERRIDING)},
  'waiting', (select json_build_object('count', count(*),
    'seconds', coalesce(round(extract(epoch from max(clock_timestamp() - state_change))), 0))
    from pg_stat_activity where wait_event = 'SyncRep'),
  'synchronousStandbyNames', current_setting('synchronous_standby_names'));
`;

/** What the server on this host's port has loaded. */
export function loadedProbe(port: number): Probe<LoadedFiles> {
  return {
    script: `cd / && ${psql(port, "postgres")} ${hereDocument(LOADED)}`,
    parse: loadedFiles,
  };
}

/** The same, as far as the server answers; `undefined` where it does not. */
export function loadedIfUpProbe(port: number): Probe<LoadedFiles | undefined> {
  return ifUpProbe(port, LOADED, loadedFiles);
}

function loadedFiles(output: string): LoadedFiles {
  const found = JSON.parse(output) as LoadedFiles & { readonly hba: string };
  return { ...found, hba: found.hba.split("\n") };
}
