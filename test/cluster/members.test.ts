import { afterEach, expect, test, vi } from "vitest";
import {
  considerReinit,
  performPause,
  performReinit,
  performReload,
} from "../../src/cluster/members";
import { played } from "./played";

afterEach(() => {
  vi.useRealTimers();
});

test("a member reads its files again by its own Patroni, and nothing else is done", async () => {
  const at = played();
  // Its server answers.
  at.altered.db3 = {};
  await performReload(at.cluster, "db3");
  expect(at.done).toEqual(["db3: reloading"]);
});

test("a reload of a member whose server does not answer is not said to be done", async () => {
  const at = played();
  await expect(performReload(at.cluster, "db3")).rejects.toThrow(
    "db3: Patroni was told to read its files again, and PostgreSQL does not answer",
  );
});

test.each([
  ["reads its files again", (at: ReturnType<typeof played>) => performReload(at.cluster, "db9")],
  ["is copied anew", (at: ReturnType<typeof played>) => performReinit(at.cluster, "db9")],
])("a host that is no member is named, where it %s", async (_what, act) => {
  const at = played();
  await expect(act(at)).rejects.toThrow(/db9.*db1, db2, db3|db1, db2, db3.*db9/s);
  expect(at.done).toEqual([]);
});

test("a pause is asked of the leader, and ends once every member knows of it", async () => {
  const at = played();
  at.changed = () => {
    at.paused = true;
  };
  await performPause(at.cluster, true);
  expect(at.done).toEqual(["db1: pausing"]);
  at.changed = () => {
    at.paused = false;
  };
  await performPause(at.cluster, false);
  expect(at.done).toEqual(["db1: pausing", "db1: resuming"]);
});

test("the pause of a move to another DCS is not ended by hand", async () => {
  const at = played();
  at.paused = true;
  at.moving = true;
  await expect(performPause(at.cluster, false)).rejects.toThrow(
    /The end of the pause is refused.*on its way to another DCS.*pulumi up/s,
  );
  expect(at.done).toEqual([]);
});

test("a cluster that is paused already has nothing to wait for", async () => {
  const at = played();
  at.paused = true;
  await performPause(at.cluster, true);
  expect(at.done).toEqual(["db1: pausing"]);
});

test("members that do not come to know of a pause are named", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "Date"] });
  const at = played();
  const going = expect(performPause(at.cluster, true)).rejects.toThrow(
    /expected all members to know within 120 seconds, got: not yet db1, db2, db3/,
  );
  await vi.advanceTimersByTimeAsync(130_000);
  await going;
});

test("a replica is copied anew, and back once it streams", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "Date"] });
  const at = played();
  at.changed = (_host, action) => {
    if (action === "copying anew") at.states.db3 = "creating replica";
  };
  let looks = 0;
  at.asked = (_host, script) => {
    if (at.states.db3 && script.includes("8008/cluster") && ++looks === 6) delete at.states.db3;
  };
  const going = performReinit(at.cluster, "db3");
  await vi.advanceTimersByTimeAsync(60_000);
  await going;
  expect(at.states.db3).toBeUndefined();
  expect(at.done).toEqual(["db3: copying anew"]);
});

test("what a new copy means is said before, and a replica that has none is copied all the same", async () => {
  const at = played();
  at.states.db3 = "start failed";
  expect(await considerReinit(at.cluster, "db3")).toEqual({
    ...{ refusals: [], objections: [] },
    effects: [
      "All data of PostgreSQL on db3 is deleted and copied anew from the cluster; until then db3 takes no reads and no lead.",
    ],
  });
});

test("the data of the leader, which the others are copies of, is not deleted", async () => {
  const at = played();
  await expect(performReinit(at.cluster, "db1")).rejects.toThrow(
    "db1 leads: its data is what the others are copies of.",
  );
  expect(at.done).toEqual([]);
});
