import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { renderStatus } from "../../src/cli/status";
import type { ClusterStatus } from "../../src/operations/status";
import { says, seen, servers, unreachable, withoutPower } from "../operations/answers";

const draining = servers().map((one) =>
  one.server === "db3" && one.entrance === "replica" ? { ...one, status: "DRAIN" } : one,
);
const pending = seen(
  says("db3", { member: { pendingRestart: true, paused: false, dcsLastSeen: 1 } }),
  says("lb2", { servers: draining }),
);
const broken: ClusterStatus = {
  ...seen(unreachable("lb1"), ...withoutPower("db1", "expired")),
  paused: true,
  scheduledSwitchover: { at: "2026-11-22T02:00:00+00:00", to: "db2" },
  problems: [`db1: ${"no way to it ".repeat(12)}.`],
};

const lines = (status: ClusterStatus) =>
  stripVTControlCharacters(renderStatus(status))
    .split("\n")
    .map((line) => line.trimEnd());

test.each([
  ["healthy", seen()],
  ["restarting", pending],
  ["broken", broken],
])("the status of a %s cluster fits 80 columns", (_title, status) => {
  expect(lines(status).filter((line) => line.length > 80)).toEqual([]);
});

test("a healthy cluster is told with its members, their lag and what leads there", () => {
  const text = lines(seen()).join("\n");
  expect(text).toMatch(/^Cluster demo: healthy\n/);
  expect(text).toMatch(/^db1 +leader +running +2$/m);
  expect(text).toMatch(/^db2 +sync standby +streaming +2 +0 B, 0\.0 s$/m);
  expect(text).toMatch(/^db3 +replica +streaming +2 +16384 B, 0\.3 s$/m);
  expect(text).toContain("DCS       etcd: db1 (leader), db2, db3\n");
  expect(text).toMatch(/^Balancer +primary +replica +synchronous +asynchronous$/m);
  expect(text).toMatch(/^lb1 +db1 +db2 db3 +db2 +db3 +10\.89\.0\.100$/m);
});

test("what waits for a restart, and what is drained, stands beside it", () => {
  const text = lines(pending).join("\n");
  expect(text).toMatch(/^db3 .* restart pending$/m);
  expect(text).toMatch(/^lb2 +db1 +db2 db3 drain +db2 +db3$/m);
});

test("a broken cluster is told with all that is wrong", () => {
  const text = lines(broken).join("\n");
  expect(text).toMatch(/^Cluster demo: takes no writes\nPaused: nothing fails over or restarts/);
  expect(text).toContain("Switchover to db2 at 2026-11-22T02:00:00+00:00\n");
  expect(text).toMatch(/^db1 +unknown +no answer/m);
  expect(text).toContain("DCS       etcd: db1 (not known), db2, db3\n");
  expect(text).toMatch(/^lb1 +not known$/m);
  expect(text).toContain("db1: no way to it");
});

test("a member that cannot be asked from here is shown as those see it who can", () => {
  const text = lines(seen(unreachable("db1"))).join("\n");
  expect(text).toMatch(/^Cluster demo: takes writes, but is not whole\n/);
  expect(text).toMatch(/^db1 +leader +running +2 +as lb1, lb2 see it$/m);
  expect(text).toContain("\ndb1 leads all the same: lb1 and lb2 lead writes to it.\n");
});

test("a member that a restart which was cut off has left drained is told, with what takes it back", () => {
  expect(pending.problems).toEqual([
    "db3: a setting waits for a restart of PostgreSQL: pulumi up restarts it.",
    "lb2: no new sessions reach db3 through replica (drain). If nothing is at work there now, pulumi up takes it back in.",
  ]);
});

test("a backup host that cannot be asked is not told as one without backups", () => {
  const backup = { host: "backup1", running: false, count: 0, nextAt: 0, problems: [] };
  const shown = (more: object) => lines({ ...seen(), backup: { ...backup, ...more } }).join("\n");
  expect(shown({ unknown: true })).toMatch(/^backup1 +backups not known$/m);
  expect(shown({})).toMatch(/^backup1 +no backup$/m);
});
