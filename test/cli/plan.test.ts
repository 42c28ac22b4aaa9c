import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { renderFlows } from "../../src/cli/plan";
import { plannedFiles, renderFiles } from "../../src/cli/plan-files";
import { rawStack, readStack } from "../../src/cli/stack";
import { parseSettings } from "../../src/config/parse";
import { planFlows } from "../../src/plan/flows";
import { planCluster } from "../../src/plan/plan";

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

test("every file that a run writes is printed with where it stands, and no password", () => {
  const stack = rawStack("lab");
  const cluster = { ...(stack.cluster as object), backup: { host: "backup1" } };
  const plan = planCluster(parseSettings({ ...stack, cluster }));
  const text = stripVTControlCharacters(renderFiles(plannedFiles(plan)));
  for (const title of [
    "==> db1:/etc/patroni/pgherd/10-member.yml (root:postgres 0640)",
    "==> backup1:/var/lib/pgherd/backup-take (root:root 0755)",
    "==> backup1:/var/lib/pgherd/backup-door (root:root 0755)",
    "==> backup1:/usr/sbin/policy-rc.d (root:root 0755)",
  ])
    expect(text).toContain(`${title}\n`);
  expect(text).toContain("PASSWORD");
  expect(text).not.toContain("undefined");
});
