import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { standaloneProbe } from "../../../src/migration/facts/standalone";

const plan = { host: "db1", port: 59_870, superuser: "postgres", slot: "pgherd_shop" };
const { parse, script } = standaloneProbe(plan);
const said = (facts: object) => `said ${JSON.stringify(facts)}\n`;
const open = { recovery: false, closed: false, slot: false };

test.each([
  ["a server that answers", said(open), { condition: "serving", takesWrites: true, problems: [] }],
  [
    "no server",
    "servers 0\n",
    { condition: "stopped", state: "not running", takesWrites: false },
    "PostgreSQL does not run on port 59870. Start it there.",
  ],
  ["two servers", "servers 2\n", { condition: "unknown" }, "expected one server of PostgreSQL"],
  [
    "one that starts",
    "ready 1 psql: error: FATAL:  the database system is starting up\n",
    { condition: "changing", takesWrites: false },
    "lets nobody in yet: psql: error: FATAL:  the database system is starting up",
  ],
  ["one that hangs", "ready 2 \n", { condition: "failed" }, "runs, but does not answer."],
  [
    "one that is full, or whose superuser is not let in",
    "ready 0 psql: error: FATAL:  sorry, too many clients already\n",
    { condition: "unknown", takesWrites: false },
    "could not be asked as postgres: psql: error: FATAL:  sorry, too many clients already",
  ],
  [
    "a standby",
    said({ ...open, recovery: true }),
    { condition: "serving", takesWrites: false },
    "it is a standby",
  ],
  [
    "one that a cut-over has closed",
    said({ ...open, closed: true }),
    { condition: "serving", takesWrites: false },
    "Take pgherd:cluster.migration.rollback out again.",
  ],
  [
    "one that keeps WAL for nobody",
    said({ ...open, slot: true }),
    { condition: "serving", takesWrites: true },
    "the slot pgherd_shop keeps WAL on it.",
  ],
  [
    "one whose rollback was cut off",
    `adopted\n${said(open)}`,
    { condition: "serving", takesWrites: true },
    "the rollback has not come to its end.",
  ],
] as [string, string, object, string?][])(
  "%s is told as what it is once a migration is rolled back",
  (_title, answer, state, ...[problem]) => {
    const found = parse(answer);
    expect(found).toMatchObject(state);
    if (problem !== undefined) expect(found.problems.join()).toContain(problem);
  },
);

test.runIf(process.getuid?.() === 0)("a host without a server says so", () => {
  const { stdout } = spawnSync("sh", ["-eu"], { input: script, encoding: "utf8" });
  expect(parse(stdout)).toMatchObject({ condition: "stopped", takesWrites: false });
});
