import type { Probe } from "../host/host";

// As Patroni runs them: patroni/postgresql/rewind.py (pg_rewind, and crash recovery in single-user mode), bootstrap.py.
const PROGRAMS =
  "s#^([^ ]*/)?(pg_rewind|pg_basebackup)( .*)?$#\\2#p; s#^([^ ]*/)?postgres .*--single.*#crash recovery#p";

/**
 * What is at work on a member's data while PostgreSQL does not run there: `["pg_rewind"]`. It may take as long as the data
 * needs, and Patroni's word for the member is the same all the time.
 */
export const repairsProbe: Probe<string[]> = {
  script: `ps -ww -u postgres -o args= | sed -nE '${PROGRAMS}' | sort -u`,
  parse: (output) => output.split("\n").filter((line) => line !== ""),
};
