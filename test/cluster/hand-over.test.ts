import { expect, test, vi } from "vitest";
import { CommandError } from "../../src/errors";
import { performSwitchover } from "../../src/cluster/switchover";
import { handOver, unfollowed } from "../../src/cluster/hand-over";
import { seen, servers, says, view } from "../operations/answers";
import { played } from "./played";

const FROM_TO = { from: "db1", to: "db2" };

test("a handover ends when HAProxy leads writes to the new leader, and not before", async () => {
  const at = played();
  let looks = 0;
  at.changed = (_host, action) => {
    if (action !== "switching over") return;
    at.leader = "db2";
    at.synchronous = "db1";
  };
  at.asked = (_host, script) => {
    if (script.includes("7000") && at.leader === "db2" && ++looks === 3) at.writesTo = "db2";
  };
  const { to, from } = await performSwitchover(at.cluster, {});
  expect([from, to, at.writesTo]).toEqual(["db1", "db2", "db2"]);
  expect(at.done.filter((one) => one.includes("switching"))).toEqual(["db1: switching over"]);
  expect(at.said.join("\n")).toContain("HAProxy on lb1 does not lead writes to db2 yet");
});

test("a switchover to who leads already changes nothing", async () => {
  const at = played();
  await expect(performSwitchover(at.cluster, { to: "db1" })).rejects.toThrow("db1 leads already.");
  expect(at.done).toEqual([]);
});

test("a switchover under a running backup is refused, and changes nothing", async () => {
  for (const member of ["db1", "db2"]) {
    const at = played();
    at.backups[member] = [{ pid: 8, by: "barman", seconds: 300 }];
    await expect(performSwitchover(at.cluster, {})).rejects.toThrow(
      `${member}: barman has been copying its data for 300 s (process 8). It would be cut.`,
    );
    expect(at.done).toEqual([]);
  }
});

test("a switchover that fails is told with what the old leader's Patroni says against it", async () => {
  const at = played();
  at.changed = (host, action) => {
    if (action === "switching over")
      throw new CommandError(host, action, 1, "Patroni answered 503: Switchover failed");
  };
  // What a program of PostgreSQL's warns of stands in the same journal.
  at.journal =
    "2026-11-30 10:00:00.900 UTC [7] WARNING:  specified neither\n" +
    "2026-11-30 10:00:01,1 INFO: Member db2 is not allowed to promote\n";
  await expect(performSwitchover(at.cluster, {})).rejects.toThrow(
    /503: Switchover failed\n {2}db1's Patroni: Member db2 is not allowed to promote$/,
  );
  at.journal = "";
  await expect(performSwitchover(at.cluster, {})).rejects.toThrow(/503: Switchover failed$/);
});

test("an old leader that cannot follow is waited for no longer than its case allows, and it is told what helps", async () => {
  const at = played();
  at.changed = (_host, action) => {
    if (action !== "switching over") return;
    at.leader = at.writesTo = "db2";
    at.states.db1 = "start failed";
  };
  vi.useFakeTimers({ toFake: ["setTimeout", "Date"] });
  const going = expect(
    handOver(at.cluster, { ...FROM_TO, via: "db1", witness: "db2" }),
  ).rejects.toThrow(/db1 start failed for \d+ s, and Patroni does not get further/);
  await vi.advanceTimersByTimeAsync(60_000);
  await going;
  vi.useRealTimers();
});

test("what has not followed yet is told", () => {
  const roles = { db1: "replica", db2: "leader", db3: "sync_standby" };
  const streams = { standbys: [{ name: "db1", state: "streaming", syncState: "async" }] };
  const after = (writes: string, following = true) =>
    seen(
      ...["db1", "db2", "db3"].map((name) =>
        says(name, {
          view: view(roles),
          streams: name === "db2" && following ? streams : { standbys: [] },
        }),
      ),
      ...["lb1", "lb2"].map((name) => says(name, { servers: servers(writes) })),
    );
  expect(unfollowed(after("db2"), FROM_TO)).toBeUndefined();
  expect(unfollowed(after("db1"), FROM_TO)).toBe(
    "HAProxy on lb1, lb2 does not lead writes to db2 yet",
  );
  expect(unfollowed(after("db2", false), FROM_TO)).toMatch(/^db1 replica/);
  expect(unfollowed(seen(), FROM_TO)).toMatch(/^db1 leader/);
});
