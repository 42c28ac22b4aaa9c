import { leaderChangesProbe, startedProbe } from "../facts/history";
import { askEach, unasked } from "../operations/ask";
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
  const { members } = cluster.plan.patroni;
  const { answers, silent } = await askEach(cluster, Object.keys(members), async (host, name) => {
    const endpoint = members[name] ?? "";
    const [changes, started] = await Promise.all([
      host.observe(leaderChangesProbe(endpoint)),
      host.observe(startedProbe(endpoint)),
    ]);
    return { name, changes, started };
  });
  const asked = Object.values(answers);
  const missing = [
    ...unasked(silent),
    ...asked.flatMap(({ name, changes }) => (changes ? [] : `${name}: Patroni does not answer.`)),
  ];
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
