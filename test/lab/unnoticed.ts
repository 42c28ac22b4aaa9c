import { expect } from "vitest";
import { leaderOf, type LabCluster, type Writes } from "./lab-cluster";

const MEMBERS = ["db1", "db2", "db3"];

/** Since when PostgreSQL runs on each member: who has restarted it shows. */
function started(cluster: LabCluster, members: readonly string[]): Promise<string[]> {
  const sql = "select pg_postmaster_start_time()";
  return Promise.all(members.map((name) => cluster.superuserSql(name, sql)));
}

/**
 * Moves a cluster under a writer: nobody has restarted then, nobody else leads, and hardly a client has waited.
 * @param from the cluster by its stack of before.
 */
export async function unnoticed(
  from: LabCluster,
  cluster: LabCluster,
  work: () => Promise<unknown>,
): Promise<Writes> {
  const leader = leaderOf(await from.healthy());
  const before = await started(cluster, MEMBERS);
  const writes = await cluster.writesDuring(work);
  console.info("moved under a writer:", writes);
  expect(writes.failed).toBe(0);
  expect(writes.longestMs).toBeLessThan(5000);
  expect(leaderOf(await cluster.healthy())).toBe(leader);
  expect(await started(cluster, MEMBERS)).toEqual(before);
  expect(await cluster.dynamicConfiguration()).not.toHaveProperty("pause");
  return writes;
}
