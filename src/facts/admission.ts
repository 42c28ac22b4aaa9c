import type { Probe } from "../host/host";
import { hereDocument } from "../host/shell";
import { isOpen, psqlInTime } from "./postgres";

/** Settings by which a library that is not there ends every session as it begins, of a server that runs on. */
export const SESSION_LIBRARIES: readonly string[] = [
  "session_preload_libraries",
  "local_preload_libraries",
];

/** The exit code of a psql whose session did not begin, or was ended (PostgreSQL, psql, "Exit Status"). */
const NO_SESSION = 2;

/** Without pgherd's own settings for sessions, but in English; nothing is asked in it. */
const LIKE_A_CLIENT = "dbname=postgres options='-c lc_messages=C'";

/**
 * Why the server on this port lets nobody in although it runs, in its own words; nothing if it does, or does not run. Sessions of
 * pgherd do without what others load (src/session-settings.ts).
 */
export function admissionProbe(port: number): Probe<string | undefined> {
  return {
    script: `(cd /
if said=$(${psqlInTime(port, "postgres")} -c '' "${LIKE_A_CLIENT}" 2>&1 ${hereDocument("").trimEnd()}
); then :
elif [ $? = ${NO_SESSION} ] && ${isOpen(port)}; then printf '%s\\n' "$said"
fi)`,
    // The severity may be in any language; two blanks follow it (libpq, fe-protocol3.c, pqBuildErrorMessage3).
    parse: (output) => /(?:^|: )[^\s:]+: {2}(.*)/m.exec(output)?.[1],
  };
}
