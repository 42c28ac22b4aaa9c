import { parse } from "yaml";
import type { Probe } from "../host/host";
import { rootAlone } from "../host/ownership";
import { quote } from "../host/shell";
import { MEMBER_FILE } from "../roles/patroni";

/** Where a member has its data and PostgreSQL's programs. Those of a server that was migrated are where they were. */
export interface Places {
  /** `/var/lib/postgresql/17/main` */
  readonly dataDirectory: string;
  /** `/usr/lib/postgresql/17/bin` */
  readonly binDirectory: string;
  /** Where postgresql.conf is, if it is apart from the data: `/etc/postgresql/17/main` */
  readonly configDirectory?: string;
}

/**
 * What the member's Patroni is told, whether it runs or not. Root moves what lies there: nobody else may have said so.
 */
export const placesProbe: Probe<Places> = {
  script: `${rootAlone(MEMBER_FILE)}
if [ "$(stat -c %u ${MEMBER_FILE})" != 0 ]; then
  echo "${MEMBER_FILE}: expected a file of root's. Make it one with pulumi up." >&2
  exit 1
fi
cat ${MEMBER_FILE}`,
  parse(output) {
    const { postgresql } = parse(output) as {
      postgresql: {
        readonly data_dir: string;
        readonly bin_dir: string;
        readonly config_dir?: string;
      };
    };
    const {
      data_dir: dataDirectory,
      bin_dir: binDirectory,
      config_dir: configDirectory,
    } = postgresql;
    return {
      dataDirectory,
      binDirectory,
      ...(configDirectory !== undefined && { configDirectory }),
    };
  },
};

/** The script that knows where a member's data belongs (templates/patroni/data-place.sh.hbs). */
const DATA_PLACE = "/var/lib/pgherd/data-place";

/** Why a member's Patroni is not started for want of its data's file system; empty if that is there. */
export const dataPlaceProbe: Probe<string> = {
  // A host that an older pgherd has set up has no such script.
  script: `if [ -e ${DATA_PLACE} ]; then sh ${DATA_PLACE} look; fi`,
  parse: (output) => output.trim(),
};

/** Whether a member has nothing in its data directory, or there is none. */
export function isEmptyProbe({ dataDirectory }: Places): Probe<boolean> {
  return {
    // What cannot be looked into does hold something.
    script: `[ -e ${quote(dataDirectory)} ] || exit 0
LC_ALL=C ls -A -I lost+found ${quote(`${dataDirectory}/`)}`,
    parse: (output) => output.trim() === "",
  };
}

/** The script that Patroni's data is judged by before it starts (templates/patroni/before-start.sh.hbs). */
const BEFORE_START = "/var/lib/pgherd/before-patroni";

/** Whether the member's data is a first copy that follows nobody any more, and never has. */
export const divergedCopyProbe: Probe<boolean> = {
  // Where there is none the member was never set up.
  script: `if [ -e ${BEFORE_START} ]; then sh ${BEFORE_START} look; fi`,
  parse: (output) => output.trim() === "diverged",
};
