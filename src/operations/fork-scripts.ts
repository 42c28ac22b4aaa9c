import { forkUnit, type Fork } from "../facts/forks";
import { psql } from "../facts/postgres";
import { postgresSession } from "../facts/sql";
import { hereDocument, quote } from "../host/shell";
import type { FileInput, ForkInputs } from "../resources/inputs";
import { removeFiles, writeFiles } from "./files";
import { scramVerifier } from "./scram";

const TIMER = "pgherd-forks.timer";

/** Seconds in which the member must have replayed what was committed when the fork was asked for. */
const REPLAY_SECONDS = 60;

/** Prints why a member's data cannot be forked where it is, a line for each reason; nothing if it can. */
export function fitness({ folder, source, port }: ForkInputs): string {
  const forks = quote(folder.replace(/\/[^/]+$/, ""));
  const data = quote(source.dataDirectory);
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return `install -d -m 0700 -o postgres -g postgres ${forks}
try=${forks}/.try
if ! cp --reflink=always ${data}/PG_VERSION "$try" 2>/dev/null; then
  echo "expected a file system that copies on write for "${data}" and the folder beside it (btrfs, or xfs with reflink=1), found $(findmnt -no FSTYPE -T ${data} | tail -n 1)."
  echo "Move the data to such a disk, one member after the other (in a lab: pgherd lab up --data-fs btrfs)."
fi
rm -f "$try"
[ ! -L ${data}/pg_wal ] || echo "expected pg_wal inside the data directory, found a link: it could not be copied at the same moment."
[ -z "$(ls -A ${data}/pg_tblspc)" ] || echo "expected no tablespaces outside of the data directory, found $(ls -A ${data}/pg_tblspc | wc -l): a fork would write to them."
if cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q ':${hex} [0-9A-F]*:0000 0A'; then
  echo "expected nobody to listen on port ${port}, found somebody. Choose another port."
fi`;
}

/**
 * Makes a fork of this host's member. The member's server goes on; its files are copied without their blocks, as
 * between the start and the end of a backup (PostgreSQL, "Making a Non-Exclusive Low-Level Backup").
 * @param until position that the member has to have replayed first; none for a leader.
 */
export function makeFork(inputs: ForkInputs, host: string, until: string | undefined): string {
  const { name, folder, source } = inputs;
  const unit = quote(forkUnit(name));
  return [
    `fork=${quote(folder)} member=${quote(source.dataDirectory)}`,
    "data=$fork/data",
    // What a run left that was cut off.
    `systemctl disable -q --now ${unit} 2>/dev/null || :`,
    'rm -rf --one-file-system "$fork"',
    'install -d -m 0700 -o postgres -g postgres "$fork" "$data"',
    // Files with this attribute share blocks only with their like.
    'case "$(lsattr -d "$member" 2>/dev/null)" in *C*\\ *) chattr +C "$data" ;; esac',
    ...(until ? [replayed(source.port, until)] : []),
    copied(inputs),
    tidied(),
    writeFiles({ ...inputs.files, ...closed(inputs) }),
    writeFiles(passwordFile(inputs)),
    "systemctl daemon-reload",
    `systemctl reset-failed ${unit} 2>/dev/null || :`,
    `systemctl enable -q ${unit}`,
    `systemctl start ${unit} || :`,
    accepting(inputs),
    passwordsSet(inputs),
    writeFiles(pick(inputs.files, [accessFile(inputs)])),
    `systemctl reload ${unit}`,
    'begun=$(date +%s) copied=$(cat "$fork/copied")',
    `timeline=$(${forkPsql(inputs)} -c "select ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int")`,
    record(inputs, host),
    'rm -f "$fork/copied" "$fork/copy"',
    `systemctl enable -q --now ${TIMER}`,
  ].join("\n");
}

/**
 * Brings a fork that is there to what is wanted, but for its data.
 * @param changed paths of files that differ.
 */
export function changeFork(
  inputs: ForkInputs,
  fork: Fork,
  changed: readonly string[],
  password: string,
): string {
  const unit = quote(forkUnit(inputs.name));
  const onlyAccess = changed.every((path) => path === accessFile(inputs));
  return [
    `fork=${quote(inputs.folder)}`,
    writeFiles(pick(inputs.files, changed)),
    ...(password === inputs.password ? [] : [writeFiles(passwordFile(inputs))]),
    "systemctl daemon-reload",
    'rm -f "$fork/stopped" "$fork/looked"',
    `systemctl enable -q ${unit}`,
    `systemctl reset-failed ${unit} 2>/dev/null || :`,
    `systemctl ${onlyAccess ? "start" : "restart"} ${unit} || :`,
    accepting(inputs),
    ...(onlyAccess ? [`systemctl reload ${unit}`] : []),
    ...(password === inputs.password ? [] : [passwordsSet(inputs)]),
    `begun=${fork.begun} copied=${fork.copied} timeline=${fork.timeline}`,
    record(inputs, fork.host),
    `systemctl enable -q --now ${TIMER}`,
  ].join("\n");
}

/** Removes a fork, and what all forks of the host share with the last one. */
export function removeFork(
  { keeper }: Pick<ForkInputs, "keeper">,
  folder: string,
  name: string,
): string {
  const fork = quote(`${folder}/${name}`);
  const unit = quote(forkUnit(name));
  return [
    `if [ -e ${quote(keeper)} ]; then sh ${quote(keeper)} remove ${quote(name)}; fi`,
    // Without the keeper, or half of the fork.
    `systemctl disable -q --now ${unit} 2>/dev/null || :`,
    removeFiles([`/etc/systemd/system/${forkUnit(name)}`, `/var/lib/pgherd/fork-${name}.nft`]),
    `rm -rf --one-file-system ${fork}`,
    `if [ -z "$(ls ${quote(folder)})" ]; then`,
    `systemctl disable -q --now ${TIMER} 2>/dev/null || :`,
    removeFiles([
      keeper,
      `/etc/systemd/system/${TIMER}`,
      "/etc/systemd/system/pgherd-forks.service",
    ]),
    "fi",
    "systemctl daemon-reload",
  ].join("\n");
}

/** Waits until the member has replayed what was committed when the fork was asked for. */
function replayed(port: number, until: string): string {
  const ask = `${psql(port, "postgres")} -c "select pg_last_wal_replay_lsn() >= '${until}'"`;
  return `cd /
end=$(($(date +%s) + ${REPLAY_SECONDS}))
until [ "$(${ask})" = t ]; do
  [ "$(date +%s)" -lt $end ] || { echo "expected the replica to have replayed ${until} within ${REPLAY_SECONDS} seconds, but it is further behind" >&2; exit 1; }
  sleep 0.1
done`;
}

/** Settings that tie a member to its cluster, or name its own places; what its operation needs is set by the fork's own file. */
const NOT_INHERITED =
  "^(archive_|recovery_|primary_|promote_trigger|restore_command|synchronous_standby|external_pid|unix_socket|(hba|ident|config)_file|log_directory|stats_temp)";

/** The copy: data first, pg_control after it, WAL last, so that all that pg_control asks for is there. */
function copied({ folder, source }: ForkInputs): string {
  const [start, stop] =
    source.version >= 15
      ? ["pg_backup_start('pgherd fork', true)", "pg_backup_stop(false)"]
      : ["pg_start_backup('pgherd fork', true, false)", "pg_stop_backup(false, false)"];
  const sql = `select name || ' = ''' || replace(replace(setting, '\\', '\\\\'), '''', '''''') || ''''
  from (select name, current_setting(name) as setting from pg_settings
          where source in ('configuration file', 'command line') and context <> 'internal'
        union select name, setting from pg_file_settings where error is null and (name like '%.%'
          -- What this session has otherwise (src/session-settings.ts).
          or applied and lower(name) in (select lower(name) from pg_settings where source = 'client'))) as settings
  where name !~ '${NOT_INHERITED}' order by 1
\\g ${folder}/member.conf
select ${start}
\\g /dev/null
\\! sh ${folder}/copy data </dev/null
select labelfile from ${stop}
\\g ${folder}/data/backup_label
\\! sh ${folder}/copy wal </dev/null
`;
  const script = `set -eu
member=${quote(source.dataDirectory)} data=${quote(`${folder}/data`)}
share() {
  # A file that is gone in the meantime is none that recovery needs.
  said=$(LC_ALL=C cp -a --reflink=always "$1" "$2" 2>&1) ||
    if printf '%s\\n' "$said" | grep -v 'No such file or directory$' >&2; then exit 1; fi
}
case $1 in
  data)
    begun=$(date +%s%N)
    share "$member/." "$data/"
    share "$member/global/pg_control" "$data/global/pg_control"
    echo $((($(date +%s%N) - begun) / 1000000)) >${quote(`${folder}/copied-data`)}
    ;;
  wal)
    share "$member/pg_wal/." "$data/pg_wal/"
    mv ${quote(`${folder}/copied-data`)} ${quote(`${folder}/copied`)}
    ;;
esac
`;
  return [
    `cat >"$fork/copy" ${hereDocument(script)}`.trimEnd(),
    `cd / && ${psql(source.port, "postgres")} ${hereDocument(sql)}`.trimEnd(),
    '[ -e "$fork/copied" ] || { echo "the copy was not completed" >&2; exit 1; }',
  ].join("\n");
}

/** Takes away what makes the copy a member: its process, its place in the cluster, slots, and what a start makes anew. */
function tidied(): string {
  return `cd "$data"
rm -rf postmaster.pid postmaster.opts standby.signal recovery.signal recovery.conf patroni.dynamic.json backup_manifest \\
  pg_replslot/* pg_dynshmem/* pg_notify/* pg_serial/* pg_snapshots/* pg_stat_tmp/* pg_subtrans/* pg_wal/archive_status/*
find . \\( -name 'pgsql_tmp*' -o -name pg_internal.init \\) -exec rm -rf {} +
: >postgresql.auto.conf
install -m 0600 -o postgres -g postgres /dev/null recovery.signal
cd /`;
}

function accessFile({ folder }: ForkInputs): string {
  return `${folder}/pg_hba.conf`;
}

/** Nobody comes in as long as the roles have the passwords that they have in the cluster. */
function closed(inputs: ForkInputs): { readonly [path: string]: FileInput } {
  const path = accessFile(inputs);
  const file = inputs.files[path] as FileInput;
  return { [path]: { ...file, content: "local all postgres peer\n" } };
}

function passwordFile({ folder, password }: ForkInputs): { readonly [path: string]: FileInput } {
  return {
    [`${folder}/password`]: {
      content: `${password}\n`,
      mode: "0600",
      owner: "root",
      group: "root",
    },
  };
}

function forkPsql({ name, port }: ForkInputs): string {
  return postgresSession(`/run/pgherd-fork-${name}`, port, "postgres");
}

/** Without hot standby systemd is told that the server is ready while it still replays WAL. */
function accepting({ name, port }: ForkInputs): string {
  const unit = quote(forkUnit(name));
  return `until pg_isready -q -h /run/pgherd-fork-${name} -p ${port}; do
  systemctl -q is-active ${unit} || { journalctl -u ${unit} -n 10 --no-pager -o cat >&2; exit 1; }
  sleep 0.05
done`;
}

/** Gives every login role that has a password the fork's own. */
function passwordsSet(inputs: ForkInputs): string {
  const sql = `select format('alter role %I password %L', rolname, '${scramVerifier(inputs.password)}')
  from pg_authid where rolcanlogin and rolpassword is not null
\\gexec
`;
  return `cd / && ${forkPsql(inputs)} ${hereDocument(sql)}`.trimEnd();
}

/** Written last: a fork without it is not complete. */
function record(inputs: ForkInputs, host: string): string {
  const { cluster, name, port, memory, disk, ttl } = inputs;
  const ends = ttl === 0 ? "0" : `$((begun + ${ttl}))`;
  return `cat >"$fork/record.new" <<PGHERD
cluster=${cluster}
name=${name}
host=${host}
port=${port}
memory=${memory}
disk=${disk}
ttl=${ttl}
begun=$begun
ends=${ends}
copied=$copied
timeline=$timeline
PGHERD
mv "$fork/record.new" "$fork/record"`;
}

function pick(
  files: ForkInputs["files"],
  paths: readonly string[],
): { readonly [path: string]: FileInput } {
  return Object.fromEntries(paths.map((path) => [path, files[path] as FileInput]));
}
