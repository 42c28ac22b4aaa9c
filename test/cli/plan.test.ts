import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { renderFlows } from "../../src/cli/plan";
import { readStack } from "../../src/cli/stack";
import { planFlows } from "../../src/plan/flows";

const lab = readStack("lab");
const lines = stripVTControlCharacters(renderFlows(lab, planFlows(lab)))
  .split("\n")
  .map((line) => line.trimEnd());

test("the flows fit 80 columns", () => {
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
});

test("each host is told with its address and what it lets in from whom", () => {
  const text = lines.join("\n");
  expect(text).toMatch(/^db1 \(10\.89\.0\.11\)\nPort +What +From +Addresses$/m);
  expect(text).toMatch(/^5432 +PostgreSQL +members +10\.89\.0\.12 10\.89\.0\.13$/m);
  expect(text).toMatch(/^vrrp +virtual IP +load balancers +10\.89\.0\.31$/m);
  expect(lines.filter((line) => line.startsWith("Port"))).toHaveLength(5);
});

test("without a firewall that is said", () => {
  expect(renderFlows(lab, [])).toContain("pgherd:cluster.firewall is false");
});
