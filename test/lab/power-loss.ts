import { expect } from "vitest";
import { powerOff, powerOn } from "../../src/lab/power";
import { leaderOf, type LabCluster } from "./lab-cluster";

/** Cuts the power of the leader, and gives it back once another member leads, which then all follow. @returns who leads */
export async function leaderLosesPower(cluster: LabCluster): Promise<string> {
  const old = leaderOf(await cluster.healthy());
  await powerOff(cluster.lab, [old]);
  const leader = await cluster.otherLeader(old);
  await powerOn(cluster.lab, [old]);
  const back = await cluster.healthy();
  expect(leaderOf(back)).toBe(leader);
  expect(new Set(back.members.map(({ timeline }) => timeline)).size).toBe(1);
  return leader;
}
