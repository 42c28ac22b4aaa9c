import { forkPasswordFile, forkUnit, type Fork } from "../facts/forks";
import { psql } from "../facts/postgres";
import { postgresSession } from "../facts/sql";
import { asUser, hereDocument, quote } from "../host/shell";
import type { FileInput } from "../resources/inputs/files";
import type { ForkInputs } from "../resources/inputs/fork";
import { removeTree } from "./directories";
import { makeDirectories, removeFiles, writeFiles } from "./files";
import { scramVerifier } from "./scram";
import { resetFailed, retireUnit } from "./units";

// All that lies in the forks' folder is postgres's, links included, and so is the folder: what is done there is done as
// postgres. Root has a fork's unit, its rules and its password, in directories of its own.
const POSTGRES = "postgres";
const OWNED = { owner: POSTGRES, group: POSTGRES };

const TIMER = "pgherd-forks.timer";

/** Seconds in which the member must have replayed what was committed when the fork was asked for. */
const REPLAY_SECONDS = 60;

/** Prints why a member's data cannot be forked where it is, a line for each reason; nothing if it can. */
export function fitness({ folder, source, port }: ForkInputs): string {
  const forks = folder.replace(/\/[^/]+$/, "");
  const data = quote(source.dataDirectory);
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const fits = `try=${quote(`${forks}/.try`)}
rm -f "$try"
# Why it fails is told below, in words of what to do.
if ! cp --reflink=always ${data}/PG_VERSION "$try" 2>/dev/null; then
  echo "expected a file system that copies on write for "${data}" and the folder beside it (btrfs, or xfs with reflink=1), found $(findmnt -no FSTYPE -T ${data} | tail -n 1)."
  echo "Move the data to such a disk, one member after the other (in a lab: pgherd lab up --data-fs btrfs)."
fi
rm -f "$try"
[ ! -L ${data}/pg_wal ] || echo "expected pg_wal inside the data directory, found a link: it could not be copied at the same moment."
[ -z "$(ls -A ${data}/pg_tblspc)" ] || echo "expected no tablespaces outside of the data directory, found $(ls -A ${data}/pg_tblspc | wc -l): a fork would write to them."`;
  return `${makeDirectories({ [forks]: { mode: "0700", ...OWNED } })}
${asUser(POSTGRES, fits)}
# A kernel without IPv6 has no second file.
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
    // What a run left that was cut off.
    retireUnit(forkUnit(name)),
    removeTree(POSTGRES, folder),
    makeDirectories({
      [folder]: { mode: "0700", ...OWNED },
      [`${folder}/data`]: { mode: "0700", ...OWNED },
    }),
    ...(until ? [replayed(source.port, until)] : []),
    asUser(POSTGRES, copyScript(inputs)),
    copied(inputs),
    asUser(POSTGRES, tidied(inputs)),
    writeFiles({ ...inputs.files, ...closed(inputs) }),
    writeFiles(passwordFile(inputs)),
    "systemctl daemon-reload",
    resetFailed(forkUnit(name)),
    `systemctl enable -q ${unit}`,
    // If it fails, the journal's lines tell more than systemctl.
    `systemctl start ${unit} || :`,
    accepting(inputs),
    passwordsSet(inputs),
    writeFiles(pick(inputs.files, [accessFile(inputs)])),
    `systemctl reload ${unit}`,
    `timeline=$(${forkPsql(inputs)} -c "select ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int")`,
    "export timeline",
    asUser(
      POSTGRES,
      [
        `cd ${quote(folder)}`,
        "begun=$(date +%s) copied=$(cat copied)",
        record(inputs, host),
        "rm -f copied copy",
      ].join("\n"),
    ),
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
    writeFiles(pick(inputs.files, changed)),
    ...(password === inputs.password ? [] : [writeFiles(passwordFile(inputs))]),
    "systemctl daemon-reload",
    asUser(POSTGRES, `cd ${quote(inputs.folder)}\nrm -f stopped looked`),
    `systemctl enable -q ${unit}`,
    resetFailed(forkUnit(inputs.name)),
    // If it fails, the journal's lines tell more than systemctl.
    `systemctl ${onlyAccess ? "start" : "restart"} ${unit} || :`,
    accepting(inputs),
    ...(onlyAccess ? [`systemctl reload ${unit}`] : []),
    ...(password === inputs.password ? [] : [passwordsSet(inputs)]),
    asUser(
      POSTGRES,
      [
        `cd ${quote(inputs.folder)}`,
        `begun=${fork.begun} copied=${fork.copied} timeline=${fork.timeline}`,
        record(inputs, fork.host),
      ].join("\n"),
    ),
    `systemctl enable -q --now ${TIMER}`,
  ].join("\n");
}

/** Removes a fork, and what all forks of the host share with the last one. */
export function removeFork(
  { keeper }: Pick<ForkInputs, "keeper">,
  folder: string,
  name: string,
): string {
  const isEmpty = `[ -z "$(${asUser(POSTGRES, `[ ! -d ${quote(folder)} ] || ls ${quote(folder)}`)}\n)" ]`;
  return [
    `if [ -e ${quote(keeper)} ]; then sh ${quote(keeper)} remove ${quote(name)}; fi`,
    // Without the keeper, or half of the fork.
    retireUnit(forkUnit(name)),
    removeFiles([
      `/etc/systemd/system/${forkUnit(name)}`,
      `/var/lib/pgherd/fork-${name}.nft`,
      forkPasswordFile(name),
    ]),
    removeTree(POSTGRES, `${folder}/${name}`),
    `if ${isEmpty}; then`,
    retireUnit(TIMER),
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
  return `cd / && ${psql(source.port, "postgres")} ${hereDocument(sql)}`.trimEnd();
}

/** Puts the script into the fork's folder that psql runs, as postgres, between the marks of the backup. */
function copyScript({ folder, source }: ForkInputs): string {
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
  return `cd ${quote(folder)}
# Files with this attribute share blocks only with their like; not all file systems have attributes.
case "$(lsattr -d ${quote(source.dataDirectory)} 2>/dev/null)" in *C*\\ *) chattr +C data ;; esac
cat >copy ${hereDocument(script)}`;
}

/** Takes away what makes the copy a member: its process, its place in the cluster, slots, and what a start makes anew. */
function tidied({ folder }: ForkInputs): string {
  return `cd ${quote(folder)}
[ -e copied ] || { echo "the copy was not completed" >&2; exit 1; }
cd data
rm -rf postmaster.pid postmaster.opts standby.signal recovery.signal recovery.conf patroni.dynamic.json backup_manifest \\
  pg_replslot/* pg_dynshmem/* pg_notify/* pg_serial/* pg_snapshots/* pg_stat_tmp/* pg_subtrans/* pg_wal/archive_status/*
find . \\( -name 'pgsql_tmp*' -o -name pg_internal.init \\) -exec rm -rf {} +
rm -f postgresql.auto.conf
: >postgresql.auto.conf
install -m 0600 /dev/null recovery.signal`;
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

function passwordFile({ name, password }: ForkInputs): { readonly [path: string]: FileInput } {
  return {
    [forkPasswordFile(name)]: {
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

/** Written last, in the fork's folder: a fork without it is not complete. */
function record(inputs: ForkInputs, host: string): string {
  const { cluster, name, port, memory, disk, ttl } = inputs;
  const ends = ttl === 0 ? "0" : `$((begun + ${ttl}))`;
  return `cat >record.new <<PGHERD
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
mv -fT record.new record`;
}

function pick(
  files: ForkInputs["files"],
  paths: readonly string[],
): { readonly [path: string]: FileInput } {
  return Object.fromEntries(paths.map((path) => [path, files[path] as FileInput]));
}
