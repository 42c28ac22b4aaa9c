import { expect, test } from "vitest";
import { longTransactionsProbe, runningBackupsProbe } from "../../src/facts/activity";

test("only transactions that have been open for longer are asked for", () => {
  const { script, parse } = longTransactionsProbe(5433, 15);
  expect(script).toContain("-p 5433");
  expect(script).toContain("where age > 15;");
  expect(parse("[]")).toEqual([]);
});

test("backups are told with who takes them", () => {
  const output = '[{"pid" : 812, "by" : "barman", "seconds" : 340}]\n';
  expect(runningBackupsProbe(5432).parse(output)).toEqual([
    { pid: 812, by: "barman", seconds: 340 },
  ]);
});
