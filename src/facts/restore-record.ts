import { FactError } from "../errors";
import type { Probe } from "../host/host";

/**
 * Stands on every member from before the first change of a restore in place until its end, whatever becomes of the
 * command: the next one knows from it what is where.
 */
export const RESTORE_RECORD = "/var/lib/pgherd/restore.json";

/** What a restore does to the places of tablespaces on a member, as absolute paths without links. */
export interface MovedPlaces {
  /** Directories that are there, and are kept as `PATH.ASIDE` beside a new empty one. */
  readonly aside: readonly string[];
  /** Directories that it makes, where there was none. */
  readonly made: readonly string[];
}

export interface RestoreRecord {
  /** The moment it goes to, in words. */
  readonly target: string;
  /** Who began it: `anna@desk`. */
  readonly by: string;
  /** Seconds since 1970. */
  readonly begun: number;
  /** The member that is restored first and leads then. */
  readonly first: string;
  readonly members: readonly string[];
  /** Whether that one led before. */
  readonly leads: boolean;
  /** The present data is `DIRECTORY.ASIDE` on each member: `before-restore-20261121T143000Z`. */
  readonly aside: string;
  /** By member: where it has tablespaces, or will have. */
  readonly tablespaces?: { readonly [member: string]: MovedPlaces };
  /** Of the present data, as far as it could be asked for. */
  readonly systemIdentifier?: string;
  /** The backup that it begins with. */
  readonly backup?: {
    readonly id: string;
    readonly size: number;
    readonly segmentBytes: number;
  };
  /** Of a restore of all there is: where its WAL must be replayed to at the least. */
  readonly end?: { readonly timeline: number; readonly lsn: string };
  /**
   * `stopping`: no data was moved. `moving`: the present data may be set aside and the restored data is not accepted.
   * `restored`: the first member leads with the restored data, and the others follow it or will.
   */
  readonly phase: "stopping" | "moving" | "restored";
}

/** A record that was found on a member. */
export interface FoundRestore extends RestoreRecord {
  /** Who holds the host's lock; absent where nobody does, so that nobody is at work. */
  readonly holder?: string;
}

/** The restore that this member is in the middle of; nothing if it is in none. */
export const restoreRecordProbe: Probe<FoundRestore | undefined> = {
  script: `if [ -e ${RESTORE_RECORD} ]; then
  cat ${RESTORE_RECORD}
  if [ -e /run/pgherd/lock ] && ! flock -n -s /run/pgherd/lock true; then echo "holder $(cat /run/pgherd/lock.owner)"; fi
fi`,
  parse(output) {
    const [text = "", held] = output.split("\n");
    if (text === "") return undefined;
    try {
      const record = JSON.parse(text) as RestoreRecord;
      return held?.startsWith("holder ") ? { ...record, holder: held.slice(7) } : record;
    } catch (error) {
      throw new FactError(
        `${RESTORE_RECORD}: expected the record of a restore, got "${text.slice(0, 100)}".`,
        "Copy it from another member.",
        { cause: error },
      );
    }
  },
};

/** What an unfinished restore means for whoever comes upon it, and what to do. */
export function describeRestore({ target, by, begun, phase, holder }: FoundRestore): string {
  const what = `a restore to ${target}, begun by ${by} at ${new Date(begun * 1000).toISOString().slice(0, 19)}Z`;
  if (holder !== undefined) return `${what}, is under way (${holder}).`;
  return phase === "restored"
    ? `${what}, was cut off when the restored data led already: \`pgherd restore --resume\` brings it to its end, \`pgherd restore --undo\` puts the data from before back.`
    : `${what}, was cut off: \`pgherd restore --undo\` puts the data from before back${phase === "moving" ? ", `pgherd restore --resume` goes on, should the restored data lead by now" : ""}.`;
}
