import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { renderStatus } from "../../src/cli/status";
import type { ClusterStatus } from "../../src/operations/status";

const healthy: ClusterStatus = {
  cluster: "demo",
  healthy: true,
  paused: false,
  members: [
    { name: "db1", role: "leader", state: "running", timeline: 2, pendingRestart: false },
    {
      name: "db2",
      role: "sync_standby",
      state: "streaming",
      timeline: 2,
      lagBytes: 0,
      pendingRestart: false,
    },
    {
      name: "db3",
      role: "replica",
      state: "streaming",
      timeline: 2,
      lagBytes: 16384,
      pendingRestart: true,
    },
  ],
  dcs: ["db1", "db2", "db3"].map((host) => ({ host, healthy: true })),
  loadBalancers: ["lb1", "lb2"].map((host) => ({
    host,
    holdsVip: host === "lb1",
    entrances: {
      primary: ["db1"],
      replica: ["db2", "db3"],
      synchronous: ["db2"],
      asynchronous: ["db3"],
    },
  })),
  problems: [],
};

const broken: ClusterStatus = {
  ...healthy,
  healthy: false,
  paused: true,
  members: [
    { name: "db2", role: "replica", state: "start failed", pendingRestart: false },
    { name: "db3", role: "replica", state: "running", timeline: 2, pendingRestart: true },
  ],
  dcs: ["db1", "db2", "db3"].map((host) => ({ host, healthy: host === "db3" })),
  loadBalancers: [
    {
      host: "lb1",
      holdsVip: false,
      entrances: { primary: [], replica: ["db3"], synchronous: [], asynchronous: ["db3"] },
    },
    { host: "lb2", holdsVip: false, entrances: {} },
  ],
  problems: ["db1: db1 port 22 cannot be reached: connect EHOSTUNREACH 10.89.0.11:22."],
};

const lines = (status: ClusterStatus) =>
  stripVTControlCharacters(renderStatus(status))
    .split("\n")
    .map((line) => line.trimEnd());

test.each([
  ["healthy", healthy],
  ["broken", broken],
])("the status of a %s cluster fits 80 columns", (_title, status) => {
  expect(lines(status).filter((line) => line.length > 80)).toEqual([]);
});

test("a healthy cluster is told with its members, their lag and what leads there", () => {
  const text = lines(healthy).join("\n");
  expect(text).toMatch(/^Cluster demo: healthy\n/);
  expect(text).toMatch(/^db1 +leader +running +2$/m);
  expect(text).toMatch(/^db2 +sync standby +streaming +2 +0 B$/m);
  expect(text).toMatch(/^db3 +replica +streaming, restart pending +2 +16384 B$/m);
  expect(text).toContain("DCS       db1, db2, db3\n");
  expect(text).toContain(
    "lb1       primary db1 · replica db2 db3 · synchronous db2 · asynchronous db3\n",
  );
  expect(text).toContain("Virtual IP on lb1\n");
});

test("a broken cluster is told with all that is wrong", () => {
  const text = lines(broken).join("\n");
  expect(text).toMatch(/^Cluster demo: not healthy, paused: nothing fails over by itself\n/);
  expect(text).toMatch(/^db2 +replica +start failed +unknown$/m);
  expect(text).toContain("DCS       db1 (no answer), db2 (no answer), db3\n");
  expect(text).toContain("lb1       primary none · replica db3");
  expect(text).toContain("lb2       no answer\n");
  expect(text).not.toContain("Virtual IP");
  expect(text).toContain("EHOSTUNREACH");
});
