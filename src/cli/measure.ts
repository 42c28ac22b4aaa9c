import type { Settings } from "../config/schema";
import { UsageError } from "../errors";
import type { Measured } from "../probe/measure";
import type { ProbeTarget } from "../probe/probe";
import { duration, type Interruption } from "../probe/report";
import { clientOf } from "./client";
import { stackOutputs } from "./outputs";

/**
 * Where a probe of a stack's cluster writes and reads.
 * @param said who it connects as and where to, if not as every verb does ({@link clientOf}).
 * @throws PgherdError if the stack's outputs cannot be read, or it has no user.
 */
export function probeTarget(
  stack: string,
  settings: Settings,
  said: { readonly user?: string; readonly database?: string } = {},
): ProbeTarget {
  const { hosts, cluster } = settings;
  const { user, database } = clientOf(settings, said);
  const { connection, passwords } = stackOutputs(stack);
  const password = passwords[user];
  if (password === undefined) {
    const known = Object.keys(passwords).join(", ");
    throw new UsageError(`--user: expected one of ${known}, got "${user}".`);
  }
  return {
    primary: connection.primary ?? "",
    replica: connection.replica,
    user,
    password,
    database,
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
