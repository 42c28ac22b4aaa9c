import type { BackupCatalog, BaseBackup } from "../facts/barman";
import { FactError } from "../errors";
import type { Probe } from "../host/host";
import { asOwner } from "../host/ownership";
import { hereDocument, quote } from "../host/shell";
import { psql } from "../facts/postgres";
import { patroni } from "../roles/patroni";

/** To which moment a database is brought back; nothing of it is all that there is. */
export interface RestoreTarget {
  /** As PostgreSQL reads it: `2026-11-21 14:30:00+00`. */
  readonly time?: string;
  readonly xid?: number;
  readonly lsn?: string;
  readonly name?: string;
}

/** Where a target lies, as far as it is known. */
export interface Aim {
  /** Seconds since 1970. */
  readonly time?: number;
  readonly lsn?: string;
}

/** Where a timeline left the one before: `{ timeline: 1, lsn: "0/5000060" }`. */
export interface Branch {
  readonly timeline: number;
  readonly lsn: string;
}

/** A position as a number that can be compared. */
export function positionOf(lsn: string): bigint {
  const [high = "0", low = "0"] = lsn.split("/");
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** Whether what is at this place of a timeline belongs to the database that the history tells of. */
export function isInHistory(
  history: readonly Branch[],
  current: number,
  timeline: number,
  lsn: string,
): boolean {
  if (timeline === current) return true;
  const branch = history.find((one) => one.timeline === timeline);
  return branch !== undefined && positionOf(lsn) <= positionOf(branch.lsn);
}

/**
 * The backup to begin with: the newest that is complete, belongs to the database's history, and ended before the target.
 * @param id the user's choice, which must fit too.
 */
export function chooseBackup(
  { backups }: Pick<BackupCatalog, "backups">,
  aim: Aim,
  history: readonly Branch[],
  current: number,
  id?: string,
): BaseBackup | undefined {
  return backups
    .filter((one) => id === undefined || one.id === id)
    .find(
      (one) =>
        one.status === "DONE" &&
        isInHistory(history, current, one.timeline, one.endLsn) &&
        (aim.time === undefined || one.endedAt <= aim.time) &&
        (aim.lsn === undefined || positionOf(one.endLsn) <= positionOf(aim.lsn)),
    );
}

/** A shell function that prints a file of Barman's, which may be compressed; it fails where it is damaged. */
export const PLAIN = `plain() {
  case $(head -c 2 "$1" | od -An -tx1 | tr -d ' ') in
    1f8b) gzip -dc "$1" ;;
    *) cat "$1" ;;
  esac
}`;

/** Where and when a server's own timeline left the one before. */
interface Begun extends Branch {
  /** Seconds since 1970. */
  readonly at: number;
}

/** Where a server's own timeline left the one before: nothing on the first. */
export function branchProbe(dataDirectory: string): Probe<Begun | undefined> {
  const wal = `${dataDirectory}/pg_wal`;
  const look = `set -- ${quote(wal)}/*.history
[ -e "$1" ] || exit 0
shift $(($# - 1))
stat -c 'at %Y' "$1"
cat "$1"`;
  return {
    script: asOwner("postgres", `${wal}/.`, look),
    parse(output) {
      const branch = parseHistory(output).at(-1);
      return branch && { ...branch, at: Number(/^at (\d+)$/m.exec(output)?.[1]) };
    },
  };
}

/** The lines of a timeline's history, as PostgreSQL writes them (access/transam/timeline.c). */
export function parseHistory(text: string): Branch[] {
  return [...text.matchAll(/^(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/gm)].map(([, one, lsn = ""]) => ({
    timeline: Number(one),
    lsn,
  }));
}

/** What is looked for in the WAL. */
export interface WalPlace extends Branch {
  /** What PostgreSQL says of it: `COMMIT 2026-11-21 14:30:00.123456 UTC`. */
  readonly text: string;
}

/**
 * The end of a transaction, or a named point, wherever it is in the WAL that Barman has. Each segment is looked through
 * with the one before it: a record may begin in one and end in the other.
 */
export function walPlacesProbe(
  home: string,
  binDirectory: string,
  from: string,
  target: RestoreTarget,
): Probe<WalPlace[]> {
  const [options, pattern] =
    target.xid !== undefined
      ? [`--rmgr=Transaction --xid=${target.xid}`, "COMMIT|ABORT"]
      : ["--rmgr=XLOG", `RESTORE_POINT ${target.name ?? ""}$`];
  const look = `${PLAIN}
home=${quote(home)}
[ -x ${quote(`${binDirectory}/pg_waldump`)} ] || { echo "expected ${binDirectory}/pg_waldump, found none: the WAL cannot be looked through" >&2; exit 1; }
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
before=
{ find "$home/wals" -type f; find "$home/streaming" -type f -size +0; } | awk -F/ '{ print $NF, $0 }' | sort |
while read -r name file; do
  name=\${name%.partial}
  case $name in ????????????????????????) ;; *) continue ;; esac
  [ "$(printf '%s\\n' "\${name#????????}" ${quote(from.slice(8))} | sort | head -n 1)" = ${quote(from.slice(8))} ] || continue
  if ! plain "$file" >"$work/$name"; then
    echo "damaged $name"
    before=
    continue
  fi
  case $before in "\${name%????????????????}"*) first=$before ;; *) first=$name ;; esac
  # It ends with an error where WAL ends, as in the last segment.
  ${quote(`${binDirectory}/pg_waldump`)} -p "$work" ${options} "$first" "$name" 2>/dev/null |
    sed -nE 's|.*lsn: ([0-9A-F]+/[0-9A-F]+),.*desc: (.*)|\\1 \\2|p' | grep -E ${quote(pattern)} | sed "s/^/$name /"
  [ -z "$before" ] || rm -f "$work/$before"
  before=$name
done; :`;
  return {
    script: asOwner("barman", `${home}/.`, look),
    parse(output) {
      const lines = output.split("\n").filter((line) => line !== "");
      const damaged = lines.filter((line) => line.startsWith("damaged "));
      const places = lines
        .filter((line) => !damaged.includes(line))
        .map((line) => {
          const [segment = "", lsn = "", ...text] = line.split(" ");
          return { timeline: parseInt(segment.slice(0, 8), 16), lsn, text: text.join(" ") };
        });
      if (places.length === 0 && damaged.length > 0) {
        const names = damaged.map((line) => line.slice("damaged ".length)).join(", ");
        throw new FactError(
          `expected to find it in the WAL in ${home}, where it may be in what is damaged: ${names}.`,
          "Name a time or a position (--target-time, --target-lsn), which need not be looked for.",
        );
      }
      const key = ({ timeline, lsn }: WalPlace) => `${timeline} ${lsn}`;
      return places.filter((one, i) => places.findIndex((other) => key(other) === key(one)) === i);
    },
  };
}

/** What a member must have for its data directory to be set aside and another one to be filled. */
export interface Room {
  /** Bytes that are free beside the data directory. */
  readonly free: number;
  /** Whether the data directory is a file system of its own, which cannot be renamed. */
  readonly mounted: boolean;
  /** Where the WAL is, if it is not in the data directory: `/srv/wal/17`. */
  readonly walElsewhere?: string;
}

export function roomProbe(dataDirectory: string): Probe<Room> {
  return {
    script: `data=${quote(dataDirectory)}
df -B1 --output=avail "\${data%/*}" | tail -n 1
mountpoint -q "$data" && echo mounted || echo plain
${asOwner("postgres", `${dataDirectory}/.`, `if [ -L ${quote(dataDirectory)}/pg_wal ]; then readlink ${quote(dataDirectory)}/pg_wal; fi`)}`,
    parse(output) {
      const [free = "", kind = "", wal = ""] = output.split("\n");
      return {
        ...{ free: Number(free), mounted: kind.trim() === "mounted" },
        ...(wal.trim() !== "" && { walElsewhere: wal.trim() }),
      };
    },
  };
}

/**
 * Commits a transaction that does nothing: PostgreSQL ends at a time only once it meets a commit after it, and fails if
 * the archive ends before.
 */
export function commitOnce(psqlCommand: string): string {
  return `cd / && ${psqlCommand} -c 'select pg_current_xact_id()' >/dev/null`;
}

/**
 * Ends the segment of WAL that is written, so that it is received as a whole one. Patroni calls a member leader from the
 * moment on in which it promotes it: the end of recovery is waited for, a minute at most.
 */
export function endSegment(psqlCommand: string): string {
  return `cd /
for _ in $(seq 60); do
  if [ "$(${psqlCommand} -c 'select pg_is_in_recovery()')" = f ]; then break; fi
  sleep 1
done
${psqlCommand} -c 'select pg_switch_wal()' >/dev/null`;
}

/** Where a server that takes writes is in its WAL: `0/5000060`. */
export function positionProbe(port: number): Probe<string> {
  return {
    script: `cd / && ${psql(port, "postgres")} ${hereDocument("select pg_current_wal_lsn();\n")}`,
    parse: (output) => output.trim(),
  };
}

/** How far a restore has come on a member. */
interface RestoreProgress {
  readonly bytes: number;
  /** Whether Patroni has given up. */
  readonly failed: boolean;
  /** What PostgreSQL or Patroni said last of it. */
  readonly said: string;
}

/** @param tablespaces their directories */
export function restoreProgressProbe(
  dataDirectory: string,
  since: number,
  tablespaces: readonly string[] = [],
): Probe<RestoreProgress> {
  const count = (one: string) =>
    // Files come and go while they are counted, and the directory itself may not be there yet.
    asOwner("postgres", `${one}/.`, `du -sb ${quote(one)} 2>/dev/null | cut -f1`);
  return {
    script: `echo "$({
${[dataDirectory, ...tablespaces].map(count).join("\n")}
} | awk '{ sum += $1 } END { printf "%.0f", sum }')"
# 1: there is no such line.
timeout 10 journalctl -u ${patroni.unit} --since @${since} -o cat --no-pager | grep -c 'Failed to bootstrap cluster' || [ $? = 1 ]
# The same.
timeout 10 journalctl -u ${patroni.unit} --since @${since} -o cat --no-pager | grep -E 'FATAL|ERROR|pgherd:|backup |recovery' | tail -n 3 || [ $? = 1 ]`,
    parse(output) {
      const [bytes = "", failed = "", ...said] = output.split("\n");
      return {
        bytes: Number(bytes) || 0,
        failed: Number(failed) > 0,
        said: said.join("\n").trim(),
      };
    },
  };
}
