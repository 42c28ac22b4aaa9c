import { BACKUP_UNITS } from "../facts/barman";
import { asOwner } from "../host/ownership";
import { quote, words } from "../host/shell";
import { BARMAN_UNITS } from "../roles/barman";
import { enableUnits } from "./units";

/** As Barman's user. */
const AS_BARMAN = "runuser -u barman --";

/** Starts units and has them start with the host. */
export function startTimers(timers: readonly string[]): string {
  return timers.length === 0 ? ":" : `${enableUnits(timers)}\nsystemctl start ${words(timers)}`;
}

/**
 * Closes the segment that is being received, and waits until Barman has it. Barman refuses the first backup of a
 * server of which it has no WAL at all (`check_archive`).
 */
export function archiveSegment(name: string, home: string, seconds: number): string {
  const server = quote(name);
  // Barman makes the folder with the first segment.
  const look = `[ ! -d ${quote(home)}/wals ] || find ${quote(home)}/wals -type f -name '????????????????????????' -print -quit`;
  return `end=$(($(date +%s) + ${seconds}))
archived() {
  found=$(${asOwner("barman", `${home}/wals/.`, look)})
  [ -n "$found" ]
}
until archived; do
  [ "$(date +%s)" -lt $end ] || { echo "Barman has received no WAL" >&2; exit 1; }
  # What they have done is seen above, and tried until the time is over.
  ${AS_BARMAN} barman -q switch-wal ${server} || :
  # The same.
  ${AS_BARMAN} barman -q archive-wal ${server} || :
  sleep 1
done`;
}

/** Takes a backup now, in a unit that outlives this connection, without spreading its checkpoint over minutes. */
export function startBackup(): string {
  return `systemctl start --no-block ${UNASKED_BACKUP}`;
}

/** Restores the newest backup beside the others, and looks through it; ends when that has. Its record tells what came of it. */
export function verifyBackup(): string {
  const { verify } = BACKUP_UNITS;
  // It has failed when the backup has, which its record tells; there may be nothing to reset.
  return `systemctl reset-failed ${verify} 2>/dev/null || :; systemctl start ${verify} || :`;
}

/** The unit of a backup that is taken out of turn. */
export const UNASKED_BACKUP = BARMAN_UNITS.backupNow;
