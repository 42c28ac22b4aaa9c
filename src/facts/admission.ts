import type { Probe } from "../host/host";
import { hereDocument } from "../host/shell";
import { psqlInTime } from "./postgres";

/** Settings by which a library that is not there ends every session as it begins, of a server that runs on. */
export const SESSION_LIBRARIES: readonly string[] = [
  "session_preload_libraries",
  "local_preload_libraries",
];

/** Without pgherd's own settings for sessions, but in English; nothing is asked in it. */
const LIKE_A_CLIENT = "dbname=postgres options='-c lc_messages=C'";

/** What is said where a server starts or stops (src/backend/postmaster, `canAcceptConnections`): it may let clients in later. */
const LATER = /^the database system is /;

/**
 * Why the server on this port lets nobody in although it runs, in its own words; nothing if it does, or does not run. Sessions of
 * pgherd do without what others load (src/session-settings.ts).
 */
export function admissionProbe(port: number): Probe<string | undefined> {
  return {
    // What it says is the answer, whatever becomes of the session.
    script: `(cd / && ${psqlInTime(port, "postgres")} -c '' "${LIKE_A_CLIENT}" 2>&1 ${hereDocument("")}) || :`,
    parse: (output) => {
      const [, reason] = /(?:FATAL|PANIC): +(.*)/.exec(output) ?? [];
      return reason === undefined || LATER.test(reason) ? undefined : reason;
    },
  };
}
