import type { Probe } from "../host/host";
import { asOwner } from "../host/ownership";
import { quote } from "../host/shell";
import type { Places } from "./places";

/** What a server's control file says of its data, whether the server runs or not (PostgreSQL, pg_controldata). */
interface ControlFile {
  /** Whether it takes writes, or did when it ended, in order or not: it is no standby. */
  readonly primary: boolean;
  /** That its data is on, and that `recovery_target_timeline = current` means. */
  readonly timeline: number;
}

/** States of a server that ends or begins no recovery from somebody else's WAL (pg_controldata.c, dbState). */
const OF_PRIMARIES = ["in production", "shutting down", "shut down", "in crash recovery"];

export function controlFileProbe({ dataDirectory, binDirectory }: Places): Probe<ControlFile> {
  const look = `LC_ALL=C ${quote(`${binDirectory}/pg_controldata`)} -D ${quote(dataDirectory)}`;
  return {
    script: asOwner("postgres", `${dataDirectory}/.`, look),
    parse(output) {
      const value = (name: string) =>
        output
          .split("\n")
          .find((line) => line.startsWith(`${name}:`))
          ?.slice(name.length + 1)
          .trim() ?? "";
      return {
        primary: OF_PRIMARIES.includes(value("Database cluster state")),
        // After a promotion, and on a standby that has gone past one, the last checkpoint is one of before for some minutes:
        // PostgreSQL begins its own recovery by the later of the two (access/transam/xlogrecovery.c, InitWalRecovery).
        timeline: Math.max(
          Number(value("Latest checkpoint's TimeLineID")),
          Number(value("Min recovery ending loc's timeline")),
        ),
      };
    },
  };
}

/** Which database the data is of; `unknown` where that cannot be read, and nothing where there is none. */
export function dataIdentifierProbe({
  dataDirectory,
  binDirectory,
}: Pick<Places, "dataDirectory" | "binDirectory">): Probe<string | undefined> {
  const look = `LC_ALL=C ${quote(`${binDirectory}/pg_controldata`)} -D ${quote(dataDirectory)}`;
  return {
    // Neither the directory, nor its owner, nor the program may be there yet.
    script: `{ ${asOwner("postgres", `${dataDirectory}/.`, look)}; } 2>/dev/null || :
[ ! -e ${quote(`${dataDirectory}/global/pg_control`)} ] || echo found`,
    parse: (output) =>
      /^Database system identifier: +(\d{1,20})$/m.exec(output)?.[1] ??
      (/^found$/m.test(output) ? "unknown" : undefined),
  };
}
