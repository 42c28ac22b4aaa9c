import type { Probe } from "../host/host";
import { quote } from "../host/shell";
import { MEMBER_FILE } from "../roles/patroni";

/** A file system on which PostgreSQL has no room. */
export interface FullDisk {
  /** What of the data is on it: `/var/lib/postgresql/17/main/pg_wal`. */
  readonly of: string;
  /** Where it is mounted. */
  readonly mount: string;
  /** Bytes that are left for the user postgres. */
  readonly free: number;
  /** Whether there is no room for another file, however small. */
  readonly noFiles: boolean;
}

/** Bytes of WAL that a server writes at once, unless it was made with another size: with less it has stopped, or soon will. */
const SEGMENT = 16 * 2 ** 20;

/** Tells of what a member's data is spread over: the directory, its WAL and its tablespaces. A text is in base64. */
const ROOM = `data=$(sed -n 's/^  data_dir: "\\([^"\\]*\\)"$/\\1/p' "$1")
[ -d "$data" ] || exit 0
seen=" "
for path in "$data" "$data/pg_wal" "$data"/pg_tblspc/*; do
  device=$(stat -L -c %d -- "$path") || continue
  case $seen in *" $device "*) continue ;; esac
  seen="$seen$device "
  least=$2
  set -- "$1" "$2" $(stat -f -c '%a %S %d %c' -- "$path")
  free=$(($3 * $4)) none=false
  if [ "$6" -gt 0 ] && [ "$5" -eq 0 ]; then none=true; fi
  [ "$free" -lt "$least" ] || $none || continue
  echo "$free $none $(printf %s "$path" | base64 -w 0) $(stat -L -c %m -- "$path" | base64 -w 0)"
done`;

/** A file system that does not answer keeps nobody waiting. */
const SECONDS = 10;

/** The file systems of a member's data, its WAL and its tablespaces that have no room left. */
export const fullDisksProbe: Probe<readonly FullDisk[]> = {
  // Nothing is "not known": a host without a member's configuration has no data either.
  script: `timeout ${SECONDS} sh -c ${quote(ROOM)} sh ${MEMBER_FILE} ${SEGMENT} 2>/dev/null || :`,
  parse: (output) =>
    [...output.matchAll(/^(\d+) (true|false) (\S+) (\S+)$/gm)].map(
      ([, free = "", none = "", of = "", mount = ""]) => ({
        of: shown(of),
        mount: shown(mount),
        free: Number(free),
        noFiles: none === "true",
      }),
    ),
};

function shown(encoded: string): string {
  return Buffer.from(encoded, "base64")
    .toString()
    .trimEnd()
    .replace(/\p{Cc}+/gu, " ");
}
