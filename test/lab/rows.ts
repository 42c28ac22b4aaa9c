import { expect } from "vitest";
import type { LabCluster } from "./lab-cluster";
import type { ShopReport } from "./shop";

/** What clients were told is there, once each; what they were not told may be there or not. */
export async function expectRows(
  lab: LabCluster,
  host: string,
  { acknowledged, unknown }: ShopReport,
): Promise<void> {
  const found = await lab.superuserSql(host, "select id from orders order by id", "shop");
  const rows = found.split("\n").map(Number);
  expect(new Set(rows).size).toBe(rows.length);
  const there = new Set(rows);
  expect(acknowledged.filter((id) => !there.has(id))).toEqual([]);
  const known = new Set([...acknowledged, ...unknown]);
  expect(rows.filter((id) => !known.has(id))).toEqual([]);
}
