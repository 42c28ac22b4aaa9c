import { z } from "zod";
import type { Probe } from "../host/host";
import { asOwner } from "../host/ownership";
import { quote, words } from "../host/shell";
import { BARMAN_UNITS, timerOf } from "../roles/barman";
import { RECEIVER_NAME } from "../session-settings";
import { FORMS, inForm } from "./forms";
import { ifUpProbe } from "./postgres";

/** A base backup, as its own record tells (backup.info, which since Barman 3.13 is apart from the data). */
export interface BaseBackup {
  /** By the time of its start: `20261121T020001`. */
  readonly id: string;
  /** `DONE`, `STARTED`, `FAILED`, `EMPTY`, `WAITING_FOR_WALS`… */
  readonly status: string;
  /** Why it failed. */
  readonly error: string;
  /** Seconds since 1970. */
  readonly beganAt: number;
  /** Seconds since 1970; 0 while it is being taken. */
  readonly endedAt: number;
  readonly timeline: number;
  readonly beginLsn: string;
  /** The database can be brought back to here and everything after it. */
  readonly endLsn: string;
  /** PostgreSQL's major version. */
  readonly version: number;
  /** Bytes of the database in it. */
  readonly size: number;
  /** Bytes that it has taken beside what it shares with the one before. */
  readonly ownSize: number;
  /** Bytes of each segment of its WAL, as initdb made them. */
  readonly segmentBytes: number;
  readonly tablespaces: boolean;
}

/** All that Barman keeps of a cluster. */
export interface BackupCatalog {
  /** The newest first. */
  readonly backups: readonly BaseBackup[];
  /** What is being received now. */
  readonly receiving?: {
    /** Name of the segment: `000000010000000000000005`. */
    readonly segment: string;
    /** When it was last written to, in seconds since 1970. */
    readonly at: number;
  };
  /** Whether one is being taken now, by whomever. */
  readonly taking: boolean;
  /** WAL that nobody has any more, a line each: `2026-11-21T02:00:00Z 000000010000000000000005`. */
  readonly gaps: readonly string[];
  /** Bytes that are free there. */
  readonly free: number;
  /** What came of the test restores, the newest first. */
  readonly verifications: readonly Verification[];
  /** Names of the timers and services that are active now. */
  readonly active: readonly string[];
  /** Names of those that ended with an error the last time they ran. */
  readonly failed: readonly string[];
  /** When the next backup is due, in seconds since 1970; 0 if none is. */
  readonly nextBackupAt: number;
  /** The host's clock, in seconds since 1970. */
  readonly now: number;
}

/** What came of a test restore. */
export interface Verification {
  /** Empty where there was none. */
  readonly backup: string;
  readonly ok: boolean;
  readonly problem: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** Seconds until all WAL was replayed. */
  readonly restoreSeconds: number;
  readonly bytes: number;
}

/** Units that the catalogue's state is told by. */
export const BACKUP_UNITS = {
  receiver: BARMAN_UNITS.receiver,
  backup: BARMAN_UNITS.backup,
  backupTimer: timerOf(BARMAN_UNITS.backup),
  upkeepTimer: timerOf(BARMAN_UNITS.upkeep),
  verify: BARMAN_UNITS.verify,
  verifyTimer: timerOf(BARMAN_UNITS.verify),
} as const;

/** Barman's records, read as they stand: its own commands need a second each. */
export function catalogOfBackupsProbe(home: string, results: string): Probe<BackupCatalog> {
  const units = Object.values(BACKUP_UNITS);
  const records = `home=${quote(home)}
# Barman holds this while it takes a backup, with its process id.
lock=/var/lib/barman/.\${home##*/}-backup.lock
# There is none before the first backup.
holder() { [ ! -e "$lock" ] || cat "$lock"; }
taking() {
  pid=$(holder)
  case $pid in '' | *[!0-9]*) return 0 ;; esac
  ! grep -qs barman "/proc/$pid/cmdline" || echo taking=yes
}
taking
# One that failed early has a record and no folder; one that has just begun has a folder and no record.
for id in $(ls "$home/base" "$home/meta" 2>/dev/null | sed 's/-backup\\.info$//' | grep -E '^[0-9]+T[0-9]+$' | sort -u); do
  info=$home/meta/$id-backup.info
  [ -f "$info" ] || info=$home/base/$id/backup.info
  echo "backup $id"
  grep -E '^(status|error|begin_time|end_time|timeline|begin_xlog|end_xlog|version|size|deduplicated_size|tablespaces|xlog_segment_size)=' "$info" 2>/dev/null || : # There is none, or nothing in it: it reads as failed.
done
# Asked again: it may have begun meanwhile.
taking
# Before Barman first runs there is no such folder.
for file in $(ls "$home/streaming" 2>/dev/null | grep -E '^[0-9A-F]{24}\\.partial$' | sort | tail -n 1); do
  echo "receiving=\${file%.partial} $(stat -c %Y "$home/streaming/$file")"
done
[ ! -f "$home/gaps" ] || sed 's/^/gap=/' "$home/gaps"
# Nor is there one of its own.
echo "free=$(df -B1 --output=avail "$home" 2>/dev/null | tail -n 1)"
# Nothing has been proved before the first test restore.
for file in $(ls ${quote(results)} 2>/dev/null | grep -E '^[0-9TZ]+\\.json$' | sort -r); do
  echo "verified=$file $(tr '\\n' ' ' <${quote(results)}/"$file")"
done`;
  return {
    script: `${asOwner("barman", `${home}/.`, records)}
for unit in ${BACKUP_UNITS.verify}; do ! systemctl -q is-failed "$unit" || echo "failed=$unit"; done
for unit in ${words(units)}; do systemctl -q is-active "$unit" && echo "active=$unit"; done
# A oneshot is "activating" for as long as it runs.
for unit in ${words(units)}; do [ "$(systemctl show -p ActiveState --value "$unit")" = activating ] && echo "active=$unit"; done
# A timer that does not run tells no time: it is not active then, which is told above.
echo "next=$(systemctl show -p NextElapseUSecRealtime --value ${BACKUP_UNITS.backupTimer} | xargs -r -I{} date -d {} +%s 2>/dev/null)"
echo "now=$(date +%s)"`,
    parse: parseCatalog,
  };
}

function parseCatalog(output: string): BackupCatalog {
  const backups: { [key: string]: string }[] = [];
  const others: [key: string, value: string][] = [];
  let inBackup = false;
  for (const line of output.split("\n")) {
    if (line.startsWith("backup ")) {
      backups.push({ id: line.slice("backup ".length) });
      inBackup = true;
      continue;
    }
    const at = line.indexOf("=");
    const [key, value] = [line.slice(0, at), line.slice(at + 1).trim()];
    if (
      [
        "taking",
        "receiving",
        "gap",
        "free",
        "verified",
        "active",
        "failed",
        "next",
        "now",
      ].includes(key)
    ) {
      inBackup = false;
    }
    if (inBackup) (backups.at(-1) as { [key: string]: string })[key] = value;
    else others.push([key, value]);
  }
  const all = (key: string) => others.filter(([name]) => name === key).map(([, value]) => value);
  const [segment, at] = (all("receiving")[0] ?? "").split(" ");
  const taking = all("taking").length > 0;
  return {
    backups: backups
      .filter(({ id = "" }) => FORMS.backup.test(id))
      .map((fields) => ended(baseBackup(fields), taking))
      .sort((a, b) => (a.id < b.id ? 1 : -1)),
    taking,
    ...(segment ? { receiving: { segment, at: Number(at) } } : {}),
    gaps: all("gap"),
    free: Number(all("free")[0]) || 0,
    verifications: all("verified").map(verification),
    active: [...new Set(all("active"))],
    failed: all("failed"),
    nextBackupAt: Number(all("next")[0]) || 0,
    now: Number(all("now")[0]),
  };
}

/** What a record of Barman's can say (barman/infofile.py, BackupInfo.STATUS_ALL). */
const STATUSES = ["DONE", "EMPTY", "FAILED", "STARTED", "SYNCING", "WAITING_FOR_WALS"];

/** Barman cannot write down what cut it off; a record that cannot be read tells of no backup either. */
function ended(backup: BaseBackup, taking: boolean): BaseBackup {
  const { status } = backup;
  if (taking && !STATUSES.includes(status)) return { ...backup, status: "EMPTY" };
  if (!STATUSES.includes(status)) {
    return { ...backup, status: "FAILED", error: "its record cannot be read" };
  }
  const unfinished = ["EMPTY", "STARTED"].includes(status) && !taking;
  return unfinished ? { ...backup, status: "FAILED", error: "it was cut off" } : backup;
}

const verificationShape = z.object({
  backup: z.string(),
  ok: z.boolean(),
  problem: z.string(),
  ...{ startedAt: z.number(), endedAt: z.number() },
  ...{ restoreSeconds: z.number(), bytes: z.number() },
});

/**
 * A record of a test restore. One that cannot be read proves nothing: it is a failed one, of the time in its name.
 * @param text `20261121T050000Z.json {"backup":…}`
 */
function verification(text: string): Verification {
  const at = text.indexOf(" ");
  const [name, record] = at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  try {
    return verificationShape.parse(JSON.parse(record));
  } catch {
    const [, year, month, day, hour, minute, second] =
      /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(name) ?? [];
    const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) / 1000 || 0;
    const problem = `its record ${name} cannot be read`;
    return {
      ...{ backup: "", ok: false, problem, startedAt: time, endedAt: time },
      ...{ restoreSeconds: 0, bytes: 0 },
    };
  }
}

function baseBackup(fields: { readonly [key: string]: string }): BaseBackup {
  const text = (key: string) => (fields[key] === "None" ? "" : (fields[key] ?? ""));
  const number = (key: string) => Number(text(key)) || 0;
  const time = (key: string) => Math.floor(Date.parse(text(key).replace(" ", "T")) / 1000) || 0;
  return {
    id: fields.id ?? "",
    status: text("status"),
    error: text("error"),
    beganAt: time("begin_time"),
    endedAt: time("end_time"),
    timeline: number("timeline"),
    beginLsn: text("begin_xlog"),
    endLsn: text("end_xlog"),
    // 170006 is 17.6.
    version: Math.floor(number("version") / 10000),
    size: number("size"),
    ownSize: number("deduplicated_size"),
    // Barman's own default where the record has none (barman/infofile.py).
    segmentBytes: number("xlog_segment_size") || 2 ** 24,
    tablespaces: text("tablespaces") !== "",
  };
}

/** Bytes that a backup which is being taken has by now, as its files count them; 0 where it has none yet. */
export function copiedProbe(home: string, id: string): Probe<number> {
  const directory = `${home}/base/${inForm("backup", "a backup's name", id)}/data`;
  return {
    // What is copied comes and goes while it is counted.
    script: asOwner("barman", `${home}/.`, `du -sb ${quote(directory)} 2>/dev/null | cut -f1 || :`),
    parse: (output) => Number(output.trim()) || 0,
  };
}

/** Checks that keep no backup from starting (barman/server.py, NON_CRITICAL_CHECKS, 3.4 and 3.13). */
const HARMLESS = [
  ...["minimum redundancy requirements", "backup maximum age", "backup minimum size"],
  ...["failed backups", "archiver errors", "empty incoming directory", "empty streaming directory"],
  ...["incoming WALs directory", "streaming WALs directory", "wal maximum age"],
  "PostgreSQL server is standby",
];

/** Whether Barman takes no backup while this check fails. @param failed as `failedChecksProbe` tells it */
export function keepsFromBackup(failed: string): boolean {
  return !HARMLESS.includes(failed.replace(/ \(.*/s, ""));
}

/** Names of Barman's checks that fail, each with what it says: `["ssh (Connection failed…)"]`. */
export function failedChecksProbe(name: string): Probe<string[]> {
  return {
    // Its code says again what the lines say, and is lost where there are no lines.
    script: `runuser -u barman -- barman check ${quote(name)} 2>&1 || :`,
    parse: (output) => {
      const failed = [...output.matchAll(/^\t(.+?): FAILED(?: \((.*)\))?$/gm)].map(
        ([, check = "", why]) => (why ? `${check} (${why})` : check),
      );
      // It may fail as a whole, without a single check.
      const passed = /^\t.+: OK/m.test(output);
      return failed.length > 0 || passed ? failed : [output.trim().slice(0, 300) || "no answer"];
    },
  };
}

/** WAL that the leader keeps for the backup host. */
export interface SlotState {
  /** `reserved`, `extended`, `unreserved`, `lost`; empty where there is no such slot. */
  readonly status: string;
  /** Bytes from its position to the end of WAL. */
  readonly retained: number;
  /** Bytes that it may keep: max_slot_wal_keep_size; -1 is without limit. */
  readonly limit: number;
  /** Whether the backup host receives WAL from it. */
  readonly receives: boolean;
}

/** The slot that keeps WAL for the backups; `undefined` on a server that does not lead, or does not answer. */
export function slotProbe(port: number, slot: string): Probe<SlotState | undefined> {
  const sql = `select case when not pg_is_in_recovery() then json_build_object('status', coalesce(s.wal_status, ''),
    'retained', coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn), 0)::bigint,
    'limit', (select case when setting::bigint < 0 then -1 else setting::bigint * 1024 * 1024 end
      from pg_settings where name = 'max_slot_wal_keep_size'),
    -- One that is refused again and again is seen starting up (replication/walsender.c, WalSndGetStateString).
    'receives', exists (select from pg_stat_replication
      where application_name = '${RECEIVER_NAME}' and state in ('catchup', 'streaming'))) end
    from (select 1) one left join pg_replication_slots s on s.slot_name = '${slot}';
`;
  return ifUpProbe(port, sql, (output) => JSON.parse(output) as SlotState);
}
