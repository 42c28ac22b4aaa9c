import { brokenPromises, check, lengthOf, type Verdict } from "../../src/lab/chaos/checker";
import { playChaos, type ChaosTarget, type Run } from "../../src/lab/chaos/run";
import type { Planned } from "../../src/lab/chaos/schedule";
import type { LabCluster } from "./lab-cluster";

/** One fault under load, and what it came to. */
export async function experiment(
  cluster: LabCluster,
  one: Pick<Planned, "name" | "lasts" | "wish" | "meanwhile">,
): Promise<{ run: Run; verdict: Verdict }> {
  await cluster.healthy();
  const run = await playChaos(
    await targetOf(cluster),
    [{ ...one, pause: 0 }],
    () => undefined,
    new AbortController().signal,
  );
  const verdict = check(run.history);
  const direct = lengthOf(verdict.twoPrimaries.direct);
  process.stderr.write(
    `${one.name}: ${longest(verdict).toFixed(1)} s without a write, ${verdict.lost.length} rows lost, ` +
      `two primaries asked by themselves for ${direct.toFixed(1)} s; ` +
      `${[...brokenPromises(verdict, { durable: true }), ...run.notRecovered].join("; ") || "all kept"}\n`,
  );
  return { run, verdict };
}

/** The longest time without an acknowledged write, in seconds. */
export function longest({ interruptions: [first] }: Verdict): number {
  return first ? lengthOf([first]) : 0;
}

/** What the checker needs to know of a cluster in a lab. */
export async function targetOf(cluster: LabCluster): Promise<ChaosTarget> {
  const { connection, passwords } = await cluster.outputs();
  return {
    lab: cluster.lab,
    members: ["db1", "db2", "db3"],
    port: 5432,
    balancers: ["lb1", "lb2"],
    vips: ["10.89.0.100"],
    dcs: { hosts: ["db1", "db2", "db3"], ports: [2379, 2380] },
    client: { uri: connection.primary, user: "app", password: passwords.app, database: "app" },
  };
}
