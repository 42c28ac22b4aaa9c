import type { Places } from "../facts/places";
import type { Probe } from "../host/host";
import { RESTORE_RECORD, type RestoreRecord } from "../facts/restore-record";
import { asOwner } from "../host/ownership";
import { asUser, hereDocument, quote } from "../host/shell";
import { holdsAnything, moveBack, moveBeside } from "./directories";
import { patroni, PATRONI_FOLDER } from "../roles/patroni";
import { enableUnits } from "./units";

// What a restore in place does on a member. Each step may be repeated, whatever an interrupted one has left.

/** Patroni reads it after pgherd's own files; there only while a restore is under way. */
const RESTORE_FILE = `${PATRONI_FOLDER}/30-restore.yml`;

/** See the template before-start: the data directory may be one that Patroni has only begun. */
const BEGUN = "/var/lib/pgherd/database-begun";

/** How long what Patroni has left running may take to end. */
const END_SECONDS = 30;

/** Writes down how far a restore has come; it outlives a power cut. */
export function noteRestore(record: RestoreRecord): string {
  const next = `${RESTORE_RECORD}.new`;
  return `mkdir -p /var/lib/pgherd
cat >${next} ${hereDocument(`${JSON.stringify(record)}\n`)}sync ${next}
mv -f ${next} ${RESTORE_RECORD}
sync /var/lib/pgherd`;
}

export function forgetRestore(): string {
  return `rm -f ${RESTORE_RECORD} ${RESTORE_RECORD}.new`;
}

/**
 * Stops Patroni and its PostgreSQL, and ends only when nothing of them is left that could still write: a paused Patroni
 * leaves PostgreSQL running, and what Patroni has begun to fill a data directory with outlives it. A host that starts
 * again meanwhile does not start Patroni.
 * @throws if PostgreSQL goes on: its data must not be moved then.
 */
export function stopMember({ dataDirectory, binDirectory }: Places): string {
  const data = quote(dataDirectory);
  return `systemctl disable -q ${patroni.unit}
systemctl stop ${patroni.unit}
# What runs is found by where it works and whose it is, whatever the data directory's own files say.
at=$(readlink -f ${data} || :)
left() {
  for process in /proc/[0-9]*; do
    # A process that has ended meanwhile is none.
    cwd=$(readlink "$process/cwd" 2>/dev/null) || continue
    # The same.
    name=$(cat "$process/comm" 2>/dev/null) || continue
    if [ "$name" = postgres ] && [ "$cwd" = "$at" ]; then echo "postgres \${process##*/}"
    elif grep -qs '/patroni\\.service$' "$process/cgroup"; then echo "$name \${process##*/}"
    fi
  done
}
if left | grep -q '^postgres '; then
  # Whether it has stopped is seen below.
  ${asUser("postgres", `${quote(`${binDirectory}/pg_ctl`)} -D ${data} -m fast -w -t 3600 stop || :`)}fi
end=$(($(date +%s) + ${END_SECONDS}))
while found=$(left) && [ -n "$found" ]; do
  if [ "$(date +%s)" -ge $end ]; then
    echo "expected nothing to work in ${dataDirectory} any more, found $(echo $found). Nothing was moved. End it, and run the same again." >&2
    exit 1
  fi
  # PostgreSQL is only ever stopped in order; others may have ended by themselves.
  echo "$found" | while read -r name pid; do [ "$name" = postgres ] || kill "$pid" 2>/dev/null || :; done
  sleep 0.2
done`;
}

/** Moves the data directory beside its place, once: an empty or absent one leaves an empty one there. */
export function setDataAside(dataDirectory: string, aside: string): string {
  const data = quote(dataDirectory);
  const kept = `${dataDirectory}.${aside}`;
  return `if ${absent(kept)}; then
${asOwner("postgres", parentOf(dataDirectory), `[ -d ${data} ] || { mkdir -m 0700 ${data}; [ "$(id -u)" != 0 ] || chown postgres:postgres ${data}; }`)}
${moveBeside("postgres", dataDirectory, aside)}
fi
rm -f ${BEGUN}`;
}

/**
 * Puts the data directory back that was set aside, and whatever came in its place beside it. A Patroni that has given a
 * restore up has moved it to `DIRECTORY.failed` (move_data_directory), and would delete that at its next one. Tells by
 * which names all that is kept: a line each.
 * @param begun when the restore began, in seconds since 1970.
 */
export function putDataBack(
  dataDirectory: string,
  aside: string,
  failed: string,
  begun: number,
): string {
  const data = quote(dataDirectory);
  const kept = `${dataDirectory}.${failed}`;
  const givenUp = `${dataDirectory}.failed`;
  return `rm -f ${quote(RESTORE_FILE)} ${BEGUN}
if ! { ${absent(`${dataDirectory}.${aside}`)}; }; then
if ${holdsAnything("postgres", dataDirectory)}; then
${moveBeside("postgres", dataDirectory, failed)}
else
${asOwner("postgres", parentOf(dataDirectory), `[ ! -d ${data} ] || rmdir ${data}`)}
fi
if [ -d ${quote(givenUp)} ] && [ ! -e ${quote(kept)} ] && [ "$(stat -c %Z ${quote(givenUp)})" -ge ${begun} ]; then
${asOwner("postgres", parentOf(dataDirectory), `mv -T ${quote(givenUp)} ${quote(kept)}`)}
fi
${moveBack("postgres", dataDirectory, aside)}
fi
[ ! -d ${quote(kept)} ] || echo ${quote(kept)}`;
}

function parentOf(path: string): string {
  return `${path.replace(/\/[^/]*$/, "")}/.`;
}

function absent(path: string): string {
  return `[ ! -e ${quote(path)} ] && [ ! -L ${quote(path)} ]`;
}

/** Starts Patroni, now and with the host. */
export function startMember(): string {
  return `${enableUnits([patroni.unit])}\nsystemctl start --no-block ${patroni.unit}`;
}

/**
 * The command by which Patroni fills a member with a backup. Patroni reads it as a shell would (patroni/postgresql/bootstrap.py, shlex).
 * @param moved the places of tablespaces that come elsewhere, by name.
 */
export function fillFrom(
  fill: string,
  backup: string,
  moved: { readonly [tablespace: string]: string },
): string {
  const options = Object.entries(moved).map(
    ([name, path]) => ` ${quote(`--tablespace=${name}:${path}`)}`,
  );
  return `${fill} --backup=${backup}${options.join("")}`;
}

/**
 * What Patroni does not know of as long as it restores. It would grant that role again, in the restored database, what it has
 * had there since it was made (patroni/postgresql/bootstrap.py, `post_bootstrap`), and a trigger of the user's that guards what
 * is granted would end the restore. A value of nothing takes out what the files before it have (patroni/utils.py, `patch_config`).
 */
const WITHOUT_REWIND = "postgresql:\n  authentication:\n    rewind: null\n";

/** Tells the Patroni of this member to begin the cluster with a backup instead of an empty database. */
export function orderRestore(
  command: string,
  recovery: readonly { readonly name: string; readonly value: string }[],
): string {
  const settings = recovery.map(({ name, value }) => `      ${name}: ${JSON.stringify(value)}\n`);
  const text = `# Written by pgherd restore; gone when it is done.\nbootstrap:\n  method: restore\n  restore:\n    command: ${JSON.stringify(command)}\n    recovery_conf:\n${settings.join("")}${WITHOUT_REWIND}`;
  const file = quote(RESTORE_FILE);
  // Patroni reads it as postgres, who may not change what Patroni will run.
  return `(umask 077; cat >${file}) ${hereDocument(text)}chown root:postgres ${file}
chmod 0640 ${file}`;
}

/** How far a restore has come on the member that is restored first. */
interface Attempt {
  /** Whether the data from before is set aside, so that what is in its place is the restore's. */
  readonly aside: boolean;
  /** Whether its Patroni runs, and is told to restore. */
  readonly underWay: boolean;
}

export function attemptProbe(dataDirectory: string, aside: string): Probe<Attempt> {
  return {
    script: `if ${absent(`${dataDirectory}.${aside}`)}; then echo present; else echo aside; fi
if [ -e ${quote(RESTORE_FILE)} ] && systemctl -q is-active ${patroni.unit}; then echo "under way"; fi`,
    parse: (output) => ({
      aside: /^aside$/m.test(output),
      underWay: /^under way$/m.test(output),
    }),
  };
}

/** Takes the order back, and has Patroni know again what it was not to know of meanwhile. */
export function endRestoreOrder(): string {
  return `rm -f ${quote(RESTORE_FILE)}
if systemctl -q is-active ${patroni.unit}; then systemctl reload ${patroni.unit}; fi`;
}
