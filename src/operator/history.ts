import { leaderChangesProbe, startedProbe } from "../facts/history";
import type { Cluster } from "./cluster";

/** Something that has changed a cluster. */
export interface HistoryEvent {
  /** When: `2026-11-22T02:00:00.123Z`; absent where nobody has written it down. */
  readonly at?: string;
  /** Who tells it. */
  readonly source: "patroni" | "verb" | "api" | "pulumi";
  readonly text: string;
}

/** What has changed a cluster. */
export interface History {
  readonly events: readonly HistoryEvent[];
  /** What could not be found out, a sentence each. */
  readonly missing: string[];
}

/** Who has led, which Patroni keeps in the DCS, and since when each member's server runs. */
export async function patroniHistory(cluster: Cluster): Promise<History> {
  const missing: string[] = [];
  const members = Object.entries(cluster.plan.patroni.members);
  const asked = await Promise.all(
    members.map(async ([name, endpoint]) => {
      try {
        const [changes, started] = await Promise.all([
          cluster.host(name).observe(leaderChangesProbe(endpoint)),
          cluster.host(name).observe(startedProbe(endpoint)),
        ]);
        if (!changes) missing.push(`${name}: Patroni does not answer.`);
        return { name, changes, started };
      } catch (error) {
        missing.push(String((error as Error).message).split("\n")[0] ?? "");
        return { name };
      }
    }),
  );
  // All have it from the DCS; one that has just come back may have less.
  const changes = asked
    .flatMap((one) => (one.changes ? [one.changes] : []))
    .sort((a, b) => b.length - a.length)[0];
  const events = [
    ...(changes ?? []).map(({ at, timeline, lsn, leader }) => ({
      at,
      source: "patroni" as const,
      text: `${leader ?? "a member"} takes the lead: timeline ${timeline} begins at ${lsn}`,
    })),
    ...asked.flatMap(({ name, started }) =>
      started === undefined
        ? []
        : [
            {
              at: started,
              source: "patroni" as const,
              text: `PostgreSQL on ${name} was started, and runs since`,
            },
          ],
    ),
  ];
  return { events, missing };
}
