import { expect, test } from "vitest";
import { untilQuiet } from "../../src/cluster/activity";
import { played } from "./played";

const PATIENCE = { longestTransaction: 15, wait: 1, next: "look." };
const OPEN = { pid: 7, user: "app", database: "shop", seconds: 90 };
const BACKUP = { pid: 8, by: "barman", seconds: 20 };

test("where nothing would be cut nothing is waited for", async () => {
  const { cluster, said } = played();
  await untilQuiet(cluster, "db1", 5432, PATIENCE);
  expect(said).toEqual([]);
});

test("a backup that begins while a long transaction ends is waited for as well", async () => {
  const at = played();
  at.transactions.db1 = [OPEN];
  let looks = 0;
  at.asked = (_host, script) => {
    if (!script.includes("pg_stat_progress_basebackup")) return;
    looks++;
    if (looks === 2) at.backups.db1 = [BACKUP];
    if (looks === 3) at.transactions.db1 = [];
    if (looks === 5) at.backups.db1 = [];
  };
  await untilQuiet(at.cluster, "db1", 5432, PATIENCE);
  expect(at.backups.db1).toEqual([]);
  expect(at.said.at(-1)).toMatch(/^waiting for nobody to be copying the data of db1, .*barman/);
});

test.each([
  [
    "transactions",
    /expected no transaction on db1 to be open for more than 15 s within 1 seconds, got: 1 open .* \(process 7, app in shop\)/,
  ],
  [
    "backups",
    /expected nobody to be copying the data of db1, which a restart would cut within 1 seconds, got: barman has been copying/,
  ],
] as const)("%s that do not end are told with what helps", async (kind, message) => {
  const at = played();
  at[kind].db1 = [{ ...OPEN, ...BACKUP, pid: kind === "backups" ? 8 : 7, seconds: 90 }];
  await expect(untilQuiet(at.cluster, "db1", 5432, PATIENCE)).rejects.toThrow(message);
});
