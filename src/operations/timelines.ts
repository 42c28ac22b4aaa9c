import type { Probe } from "../host/host";
import { asOwner } from "../host/ownership";
import { quote } from "../host/shell";
import { parseHistory, PLAIN, positionOf, type Branch } from "./restore";

/** A timeline whose history an archive has. */
export interface Timeline {
  readonly id: number;
  /** Where it and its ancestors left each the one before, the oldest first. */
  readonly history: readonly Branch[];
  /** When the archive got its history, in seconds since 1970: soon after it began. */
  readonly begunAt: number;
}

/** All timelines that Barman has a history of; the first has none. */
export function timelinesProbe(home: string): Probe<Timeline[]> {
  const look = `${PLAIN}
# What is received goes from one folder into the other: looked at in this order nothing escapes.
for folder in streaming wals; do
  for file in ${quote(home)}/$folder/*.history; do
    [ -f "$file" ] || continue
    if at=$(stat -c %Y "$file") && text=$(plain "$file"); then printf 'timeline %s %s\\n%s\\n' "\${file##*/}" "$at" "$text"
    # Gone there meanwhile, where it is found next.
    elif [ -e "$file" ]; then exit 1
    fi
  done
done`;
  return {
    script: asOwner("barman", `${home}/.`, look),
    parse(output) {
      const found = output.split(/^timeline /m).slice(1);
      const all = found.map((text) => {
        const [name = "", at = ""] = (text.split("\n")[0] ?? "").split(" ");
        return {
          id: parseInt(name.slice(0, 8), 16),
          begunAt: Number(at),
          history: parseHistory(text.slice(text.indexOf("\n") + 1)),
        };
      });
      // The archive's own: it may be there by now, and still have been with what is received.
      return all
        .filter(({ id }, i) => all.findLastIndex((one) => one.id === id) === i)
        .sort((a, b) => a.id - b.id);
    },
  };
}

/** Where the timeline that is followed was in this position: itself, or one that it comes from. */
export function timelineOf(history: readonly Branch[], timeline: number, lsn: string): number {
  const past = history.find((one) => positionOf(one.lsn) >= positionOf(lsn));
  return past?.timeline ?? timeline;
}

/** Lists the segments of a timeline with their files, each once: what is whole before what is not. */
function segmentsOf(home: string, timeline: number): string {
  const hex = timeline.toString(16).toUpperCase().padStart(8, "0");
  return `${PLAIN}
home=${quote(home)}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
segments() {
  # In this order nothing escapes that goes from one into the other.
  for folder in streaming wals diverged; do
    [ ! -d "$home/$folder" ] || find "$home/$folder" -type f -size +0 -name '${hex}*'
  done | awk -F/ '$NF ~ /^[0-9A-F]+(\\.partial)?(\\.[0-9TZ]+)?$/ && length($NF) >= 24 {
    print substr($NF, 1, 24), length($NF) == 24 ? 0 : $NF ~ /partial$/ ? 1 : 2, $0
  }' | sort -k1,1 -k2,2n | awk '!seen[$1]++'
}`;
}

/** What pg_waldump tells of a record, in UTC: `0/5000060 2026-11-21 14:30:00.123456` of a commit, the position else. */
const RECORDS = `sed -nE 's|.*lsn: ([0-9A-F]+/[0-9A-F]+),.*desc: (COMMIT[A-Z_]* ([0-9]+: )?([-0-9]+ [0-9:.]+) )?.*|\\1 \\4|p'`;

function waldump(binDirectory: string): string {
  const program = `${binDirectory}/pg_waldump`;
  return `[ -x ${quote(program)} ] || { echo "expected ${program}, found none: the WAL cannot be looked through" >&2; exit 1; }
# It ends with an error where WAL ends, as in the last segment.
records() { LC_ALL=C TZ=UTC0 ${quote(program)} -p "$work" "$@" 2>/dev/null | ${RECORDS}; }`;
}

/** When the first commit after a position was made on a timeline, in seconds since 1970; nothing where there is none. */
export function firstCommitProbe(
  home: string,
  binDirectory: string,
  { timeline, lsn }: Branch,
  segmentBytes: number,
): Probe<number | undefined> {
  const look = `${segmentsOf(home, timeline)}
${waldump(binDirectory)}
from=$(printf '%08X%08X' ${lsn
    .split("/")
    .map((one) => `0x${one}`)
    .join(" ")})
before=
segments | while read -r name rank file; do
  [ "$(printf '%s\\n' "\${name#????????}" ${segmentName(lsn, segmentBytes)} | sort | head -n 1)" = ${segmentName(lsn, segmentBytes)} ] || continue
  # What is damaged holds nothing that could be restored.
  if ! plain "$file" >"$work/$name" 2>/dev/null; then before=; continue; fi
  # A record may begin in one and end in the next.
  found=$(records --rmgr=Transaction "\${before:-$name}" "$name" | awk -v from="$from" 'NF > 1 {
    split($1, at, "/"); place = sprintf("%8s%8s", at[1], at[2]); gsub(" ", "0", place)
    if (place >= from) { print $2 "T" $3 "Z"; exit }
  }')
  if [ -n "$found" ]; then echo "$found"; break; fi
  [ -z "$before" ] || rm -f "$work/$before"
  before=$name
done`;
  return {
    script: asOwner("barman", `${home}/.`, look),
    parse: (output) => (output.trim() === "" ? undefined : Date.parse(output.trim()) / 1000),
  };
}

/** The name of a segment without its timeline. */
function segmentName(lsn: string, bytes: number): string {
  const [high = "0", low = "0"] = lsn.split("/");
  const hex = (value: number) => value.toString(16).toUpperCase().padStart(8, "0");
  return hex(parseInt(high, 16)) + hex(Math.floor(parseInt(low, 16) / bytes));
}

/** Where the WAL of a timeline ends that an archive has. */
interface WalEnd {
  /** Of the last record. */
  readonly lsn?: string;
  /** Of the last commit, in seconds since 1970. */
  readonly commit?: number;
}

export function walEndProbe(home: string, binDirectory: string, timeline: number): Probe<WalEnd> {
  const look = `${segmentsOf(home, timeline)}
${waldump(binDirectory)}
segments | sort -r | while read -r name rank file; do
  # What is damaged cannot be restored.
  plain "$file" >"$work/$name" 2>/dev/null || continue
  found=$(records "$name" | awk '{ last = $1 } NF > 1 { commit = $2 "T" $3 "Z" } END { if (last) print last, commit }')
  rm -f "$work/$name"
  echo "$found"
  case $found in *Z) break ;; esac
done`;
  return {
    script: asOwner("barman", `${home}/.`, look),
    parse(output) {
      const lines = output.split("\n").filter((line) => line !== "");
      const lsn = lines[0]?.split(" ")[0];
      const commit = lines.map((line) => line.split(" ")[1] ?? "").find((one) => one !== "");
      return {
        ...(lsn !== undefined && { lsn }),
        ...(commit !== undefined && { commit: Date.parse(commit) / 1000 }),
      };
    },
  };
}
