import type { Probe } from "../host/host";
import { asOwner } from "../host/ownership";
import { hereDocument, quote } from "../host/shell";
import { positionOf } from "./restore";

// PostgreSQL calls the timeline that a recovery was to follow the parent of the one that it begins, also where the recovery
// ended before that one had left its own (access/transam/xlog.c, StartupXLOG: writeTimeLineHistory with
// recoveryTargetTLI). So after a failover, a restore to a moment before it has a history that goes back on itself:
//
//     1  0/C0000A0
//     2  0/B0001C8
//
// By that the timeline 1 goes on until 0/C0000A0: whoever follows, the archive too, is sent what was written there after the
// moment, and can never follow the restored data.

/** The history of the newest timeline in a data directory; nothing where all is on the first. */
export function historyProbe(dataDirectory: string): Probe<string | undefined> {
  const wal = `${dataDirectory}/pg_wal`;
  const look = `set -- ${quote(wal)}/*.history
[ -e "$1" ] || exit 0
shift $(($# - 1))
cat "$1"`;
  return {
    script: asOwner("postgres", `${wal}/.`, look),
    parse: (output) => (output === "" ? undefined : output),
  };
}

/** The history as it was: only what came before the last of its branches, and that of the timeline that was left there. */
export function trueHistory(text: string): string {
  const lines = text.split("\n").flatMap((line) => {
    const [, timeline = "", lsn = "", why = ""] =
      /^(\d+)\s+([0-9A-F]+\/[0-9A-F]+)(.*)$/.exec(line) ?? [];
    return timeline === "" ? [] : [{ line, timeline, lsn, why }];
  });
  const last = lines.at(-1);
  if (!last) return text;
  const end = positionOf(last.lsn);
  const parent = lines.findIndex(({ lsn }) => positionOf(lsn) >= end);
  const { timeline = "" } = lines[parent] ?? {};
  const before = lines.slice(0, parent).map(({ line }) => line);
  return [...before, `${timeline}\t${last.lsn}${last.why}`, ""].join("\n");
}

/** Replaces the history of the newest timeline. */
export function replaceHistory(dataDirectory: string, history: string): string {
  const wal = `${dataDirectory}/pg_wal`;
  const script = `cd ${quote(wal)}
set -- *.history
shift $(($# - 1))
umask 077
cat >"$1.pgherd-new" ${hereDocument(history)}
sync "$1.pgherd-new"
mv "$1.pgherd-new" "$1"
sync .`;
  return asOwner("postgres", `${wal}/.`, script);
}
