import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseSettings } from "../../src/config/parse";
import { stepNames, STEPS, stepsOf } from "../../src/migration/steps";
import { packageRoot } from "../../src/package-root";

/** The tables of steps in the documentation, one for each method, each a list of `[name, what has happened then]`. */
const documented = readFileSync(join(packageRoot(), "docs/migration.md"), "utf8")
  .split(/^\| `until` .*$/m)
  .slice(1)
  .map((text) => {
    const end = text.search(/\n\n/);
    return [...text.slice(0, end).matchAll(/^\| `(\w+)` +\| (.*?) +\|$/gm)].map((row) =>
      row.slice(1),
    );
  });

test("the documentation tells the steps of both methods, and what has happened after each", () => {
  expect(documented).toEqual(
    [STEPS.adopt, STEPS.standbyCluster].map((steps) => steps.map(({ name, done }) => [name, done])),
  );
});

test("every step of either method is one of the first, in the same order", () => {
  const order = stepNames("adopt") as string[];
  expect(stepNames("standbyCluster")).toEqual(
    order.filter((name) => (stepNames("standbyCluster") as string[]).includes(name)),
  );
});

const HOSTS = Object.fromEntries(
  ["db1", "db2", "db3", "old1"].map((name, i) => [name, { address: `10.89.0.1${i}` }]),
);

const settings = (migration?: object) =>
  parseSettings({
    hosts: HOSTS,
    cluster: {
      name: "shop",
      members: ["db1", "db2"],
      dcs: { kind: "etcd", members: ["db1", "db2", "db3"] },
      firewall: { clients: ["10.0.0.0/24"] },
      ...(migration && { migration }),
    },
  });

describe("a run", () => {
  test("without a migration goes to the end", () => {
    expect(stepsOf(settings())).toEqual(stepNames("adopt"));
  });

  test.each(stepNames("adopt"))("goes as far as %s, and no further", (until) => {
    const steps = stepsOf(settings({ from: "db1", until }));
    expect(steps).toEqual(stepNames("adopt").slice(0, steps.length));
    expect(steps.at(-1)).toBe(until);
  });

  test.each(stepNames("standbyCluster"))("of a standby cluster too goes as far as %s", (until) => {
    expect(stepsOf(settings({ method: "standbyCluster", from: "old1", until })).at(-1)).toBe(until);
  });
});
