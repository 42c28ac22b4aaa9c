import {
  longTransactionsProbe,
  runningBackupsProbe,
  type LongTransaction,
  type RunningBackup,
} from "../facts/activity";
import { askEach } from "../operations/ask";
import { describeCopying } from "../operations/copying";
import type { Hosts } from "../operations/drain";
import { waitFor } from "../operations/wait";

/** What goes on on a member's server that a restart, or the loss of its lead, would cut. */
export interface Activity {
  /** Open for longer than allowed, the longest first. */
  readonly transactions: readonly LongTransaction[];
  /** Copies of its data that are being taken. */
  readonly backups: readonly RunningBackup[];
}

export const IDLE: Activity = { transactions: [], backups: [] };

/** @param longestTransaction seconds that a transaction may have been open. @returns nothing where its host cannot be reached */
export async function activityOf(
  hosts: Hosts,
  member: string,
  port: number,
  longestTransaction: number,
): Promise<Activity | undefined> {
  const { answers } = await askEach(hosts, [member], async (host) => {
    const [transactions, backups] = await Promise.all([
      host.observe(longTransactionsProbe(port, longestTransaction)),
      host.observe(runningBackupsProbe(port)),
    ]);
    return { transactions, backups };
  });
  return answers[member];
}

/** What would be cut, a sentence each. */
export function wouldCut(
  member: string,
  { transactions, backups }: Activity,
  longestTransaction: number,
): string[] {
  return [
    ...transactions.map(
      ({ pid, user, database, seconds }) =>
        `${member}: a transaction of ${user} in ${database} has been open for ${seconds} s (process ${pid}; ` +
        `${longestTransaction} s are allowed). It would be cut.`,
    ),
    ...backups.map((copy) => `${member}: ${describeCopying(copy)}. It would be cut.`),
  ];
}

/** How long what would be cut gets to end by itself. */
interface Patience {
  /** Seconds that a transaction may have been open. */
  readonly longestTransaction: number;
  /** Seconds to wait for all of it together. */
  readonly wait: number;
  /** What to do when that has not been enough. */
  readonly next: string;
}

/**
 * Waits until nothing goes on that a restart of a member, or the loss of its lead, would cut: no copy of its data, no long
 * transaction. All is seen in one look, since one begins while the other ends.
 * @param successor who is to lead next, if somebody is: copies that are taken from it fail with its promotion.
 * @returns whether anything had to be waited for: then the cluster may be another one by now.
 * @throws HealthError if that takes too long.
 */
export async function untilQuiet(
  hosts: Hosts & { progress(message: string): void },
  member: string,
  port: number,
  { longestTransaction, wait, next }: Patience,
  successor?: string,
): Promise<boolean> {
  const copied = [member, ...(successor === undefined ? [] : [successor])];
  let waited = false;
  await waitFor<true>(
    async () => {
      const [transactions, ...copies] = await Promise.all([
        hosts.host(member).observe(longTransactionsProbe(port, longestTransaction)),
        ...copied.map((name) => hosts.host(name).observe(runningBackupsProbe(port))),
      ]);
      const [copy] = copies.flatMap((some, i) => some.map((one) => ({ ...one, of: copied[i] })));
      const [longest] = transactions;
      waited ||= copy !== undefined || longest !== undefined;
      if (copy) {
        return {
          missing: describeCopying(copy),
          expected: `nobody to be copying the data of ${copy.of}, which a restart would cut`,
          next: `let the copy or backup end, then run pulumi up again (it goes on from there), or raise pgherd:cluster.rolling.wait.`,
        };
      }
      if (!longest) return { done: true };
      const { pid, user, database, seconds } = longest;
      return {
        missing: `${transactions.length} open for longer, the longest for ${seconds} s (process ${pid}, ${user} in ${database})`,
      };
    },
    {
      expected: `no transaction on ${member} to be open for more than ${longestTransaction} s`,
      seconds: wait,
      next: `end it there (select pg_terminate_backend(…)), or raise pgherd:cluster.rolling.longestTransaction; ${next}`,
      progress: (message) => hosts.progress(message),
    },
  );
  return waited;
}
