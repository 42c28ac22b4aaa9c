import { expect, test } from "vitest";
import type { ClusterView } from "../../src/facts/patroni";
import { describeStuck, heldByPause, Standstill, WHILE_COPIED } from "../../src/operations/stuck";
import { waitFor } from "../../src/operations/wait";

function view(state: string, more: object = {}, paused = false): ClusterView {
  const db1 = { name: "db1", role: "leader", state: "running", timeline: 2, pendingRestart: false };
  const db2 = { ...db1, name: "db2", role: "replica", state, ...more };
  return { paused, members: [db1, db2] };
}

/** For how many seconds a member that is always so is waited for. */
function patience(
  state: string,
  more: (second: number) => object = () => ({}),
  limits?: typeof WHILE_COPIED,
): number {
  let now = 0;
  const standstill = new Standstill(limits, () => now * 1000);
  for (; now < 2000; now++) {
    if (standstill.see(["db1", "db2"], view(state, more(now))).length > 0) return now;
  }
  return Infinity;
}

test.each([
  ["start failed", 35],
  ["restart failed (restarting)", 35],
  ["crashed", 35],
  ["stopped", 60],
  ["no answer", 90],
  ["in archive recovery", 90],
  ["unknown", 35],
  ["starting", Infinity],
  ["creating replica", Infinity],
  ["streaming", Infinity],
  ["hibernating", Infinity],
])("a member that is %j all the time is waited for %d seconds", (state, seconds) => {
  expect(patience(state)).toBe(seconds);
});

test("a member that this machine cannot reach is not known to be stuck", () => {
  expect(patience("unknown", () => ({ unasked: true }))).toBe(Infinity);
});

test("a member whose data is made anew has its time to delete the old, and no more", () => {
  const given = (state: string) => patience(state, undefined, WHILE_COPIED);
  expect(given("stopped")).toBe(900);
  expect(given("start failed")).toBe(900);
  expect(given("creating replica")).toBe(Infinity);
  expect(given("in archive recovery")).toBe(Infinity);
});

test("a replica that comes nearer by the archive is waited for", () => {
  expect(patience("in archive recovery", (second) => ({ lagBytes: 1e9 - second }))).toBe(Infinity);
});

test("a member that does not come back is told with how long it has been so", () => {
  let now = 0;
  const standstill = new Standstill(undefined, () => now);
  standstill.see(["db2"], view("start failed"));
  now = 40_000;
  expect(describeStuck(standstill.see(["db2"], view("start failed")))).toBe(
    "db2 start failed for 40 s, and Patroni does not get further",
  );
});

test("while the cluster is paused nothing that is down comes back", () => {
  expect(heldByPause(["db1", "db2"], view("stopped", {}, true))).toBe(
    "db2 down, and Patroni starts nothing while the cluster is paused",
  );
  expect(heldByPause(["db1", "db2"], view("stopped"))).toBeUndefined();
  expect(heldByPause(["db1", "db2"], view("starting", {}, true))).toBeUndefined();
});

test("a wait for what cannot come ends at the look that shows it", async () => {
  let looks = 0;
  const waiting = waitFor<true>(
    async () => (++looks < 2 ? { missing: "not yet" } : { hopeless: "it is gone", next: "look." }),
    { expected: "it to come", seconds: 900, next: "wait.", progress: () => undefined },
  );
  await expect(waiting).rejects.toThrow("expected it to come, got: it is gone.\nNext: look.");
});
