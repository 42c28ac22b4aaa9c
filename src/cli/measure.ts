import type { Settings } from "../config/schema";
import { PgherdError, UsageError } from "../errors";
import type { Measured } from "../probe/measure";
import type { ProbeTarget } from "../probe/probe";
import { duration, type Interruption } from "../probe/report";
import { stackOutputs } from "./outputs";

/**
 * Where a probe of a stack's cluster writes and reads.
 * @param user who it connects as. @default the owner of the first database
 * @throws PgherdError if the stack's outputs cannot be read, or it has no user or database.
 */
export function probeTarget(
  stack: string,
  { hosts, cluster }: Settings,
  { user, database }: { readonly user?: string; readonly database?: string } = {},
): ProbeTarget {
  const [first] = cluster.postgresql.databases;
  const where = database ?? first?.name;
  const who = user ?? cluster.postgresql.databases.find(({ name }) => name === where)?.owner;
  if (where === undefined || who === undefined) {
    throw new PgherdError(
      "a probe needs a database to connect to, and the stack has none.",
      "Declare one in pgherd:cluster.postgresql.databases, or say --user and --database.",
    );
  }
  const { connection, passwords } = stackOutputs(stack);
  const password = passwords[who];
  if (password === undefined) {
    const known = Object.keys(passwords).join(", ");
    throw new UsageError(`--user: expected one of ${known}, got "${who}".`);
  }
  return {
    primary: connection.primary ?? "",
    replica: connection.replica,
    user: who,
    password,
    database: where,
    members: Object.fromEntries(
      cluster.members.map(({ host }) => [hosts[host]?.address ?? "", host]),
    ),
  };
}

/** What some work cost, in a sentence. */
export function tellCost({ interruption, unmeasured }: Measured<unknown>): string {
  if (unmeasured !== undefined)
    return `How long writes stood still was not measured: ${unmeasured}`;
  if (!interruption) return "No write was interrupted.";
  return `Writes stood still for ${tellInterruption(interruption)}.`;
}

/** `2.3 s (last commit 22:53:02.113 on db1, next 22:53:04.231 on db2)` */
export function tellInterruption({ kind, ms, from, to, before, after }: Interruption): string {
  const what = kind === "writes" ? "commit" : "read";
  const at = (time: string, member?: string) =>
    time.slice(11, 23) + (member ? ` on ${member}` : "");
  const end = to === undefined ? "not back yet" : `next ${at(to, after)}`;
  return `${duration(ms)} (last ${what} ${at(from, before)}, ${end})`;
}
