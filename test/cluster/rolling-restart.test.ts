import { describe, expect, test } from "vitest";
import { nextStep, type RollingMember, type RollingView } from "../../src/cluster/rolling-restart";

const UP: Omit<RollingMember, "name"> = {
  role: "replica",
  state: "streaming",
  lagBytes: 0,
  isPending: true,
};
const LEADER = { ...UP, role: "leader", state: "running", lagBytes: undefined };
const RULES = { neverLead: [] as string[], synchronous: true, maximumLag: 1000 };

function view(change: Partial<RollingView> = {}): RollingView {
  return {
    members: [
      { ...LEADER, name: "a1" },
      { ...UP, name: "a2", role: "sync_standby" },
      { ...UP, name: "a3" },
    ],
    paused: false,
    rules: RULES,
    leaderFirst: false,
    leaderStays: false,
    replicasFirst: false,
    tryFirst: true,
    ...change,
  };
}

/** The view with some members as these say. */
function but(members: { [name: string]: Partial<RollingMember> }, from = view()): RollingView {
  return {
    ...from,
    members: from.members.map((member) => ({ ...member, ...members[member.name] })),
  };
}

const done = (...names: string[]) => new Map(names.map((name) => [name, 1]));
const restart = (member: string) => ({ kind: "restart", member });
const reasonOf = (seen: RollingView, restarts = done()) => {
  const step = nextStep(seen, restarts);
  return step.kind === "stop" ? step.reason : step;
};

describe("a roll", () => {
  test("has nothing to do where nothing waits for a restart", () => {
    const settled = { isPending: false };
    expect(nextStep(but({ a1: settled, a2: settled, a3: settled }), done())).toEqual({
      kind: "done",
    });
  });

  test("begins with the replica that confirms no commits", () => {
    expect(nextStep(view(), done())).toEqual(restart("a3"));
  });

  test("goes on with the synchronous one", () => {
    expect(nextStep(but({ a3: { isPending: false } }), done("a3"))).toEqual(restart("a2"));
  });

  test("hands the lead to the synchronous replica last", () => {
    const replicas = but({ a2: { isPending: false }, a3: { isPending: false } });
    expect(nextStep(replicas, done("a2", "a3"))).toEqual({
      kind: "switchover",
      from: "a1",
      to: "a2",
    });
  });

  test("may hand it to any replica where commits wait for none, the nearest first", () => {
    const replicas = but(
      { a2: { isPending: false, role: "replica", lagBytes: 9 }, a3: { isPending: false } },
      view({ rules: { ...RULES, synchronous: false } }),
    );
    expect(nextStep(replicas, done())).toMatchObject({ kind: "switchover", to: "a3" });
  });

  test("ends once the leader that is now a replica has restarted too", () => {
    const settled = { isPending: false };
    const after = but({
      a1: { ...settled, role: "sync_standby", state: "streaming", lagBytes: 0 },
      a2: { ...settled, role: "leader", state: "running" },
      a3: settled,
    });
    expect(nextStep(after, done("a2", "a3"))).toEqual({ kind: "done" });
  });

  test("restarts the only member in place", () => {
    const alone = view({ members: [{ ...LEADER, name: "a1" }] });
    expect(nextStep(alone, done())).toEqual(restart("a1"));
  });
});

describe("settings that become lower", () => {
  const lower = view({ leaderFirst: true, tryFirst: false });

  test("reach the leader first, in place", () => {
    expect(nextStep(lower, done())).toEqual(restart("a1"));
  });

  test("then reach the replicas", () => {
    const after = but({ a1: { isPending: false } }, view());
    expect(nextStep(after, done("a1"))).toEqual(restart("a3"));
  });

  test("beside others restart one replica twice, which tries them, and everybody else once", () => {
    const both = view({ leaderFirst: true });
    expect(nextStep(both, done())).toEqual(restart("a3"));
    expect(nextStep(both, done("a3"))).toEqual(restart("a1"));
    const after = but({ a1: { isPending: false } });
    expect(nextStep(after, done("a1", "a3"))).toEqual(restart("a3"));
    const last = but({ a1: { isPending: false }, a3: { isPending: false } });
    expect(nextStep(last, new Map([...done("a1"), ["a3", 2]]))).toEqual(restart("a2"));
  });

  test("beside higher ones, which every replica must have first, restart each replica twice", () => {
    const both = view({ leaderFirst: true, replicasFirst: true });
    expect(nextStep(both, done())).toEqual(restart("a3"));
    expect(nextStep(both, done("a3"))).toEqual(restart("a2"));
    expect(nextStep(both, done("a2", "a3"))).toEqual(restart("a1"));
    const after = but({ a1: { isPending: false } });
    expect(nextStep(after, done("a1", "a2", "a3"))).toEqual(restart("a3"));
  });
});

test("while the cluster is paused nothing is restarted, and it is said at once who waits for it", () => {
  const paused = but({ a2: { isPending: false, state: "starting" } }, view({ paused: true }));
  expect(nextStep(paused, done())).toEqual({ kind: "held", members: ["a1", "a3"] });
  const settled = { isPending: false };
  expect(nextStep(but({ a1: settled, a3: settled }, paused), done())).toEqual({ kind: "done" });
});

describe("a roll stops", () => {
  test.each([
    ["without a leader", but({ a1: { role: "replica" } }), "there is no leader"],
    [
      "while a member is away",
      but({ a2: { state: "starting" } }),
      "a2 is not up: each restart takes one more away",
    ],
    [
      "while two are away",
      but({ a2: { state: "starting" }, a3: { state: "starting" } }),
      "a2, a3 are not up: each restart takes one more away",
    ],
    [
      "while a replica is far behind",
      but({ a3: { lagBytes: 5000 } }),
      "a3 is 5000 bytes behind the leader",
    ],
    [
      "while nobody knows how far one is behind",
      but({ a3: { lagBytes: undefined } }),
      "a3 is an unknown number of bytes behind the leader",
    ],
    [
      "where no synchronous replica may lead",
      but(
        { a2: { isPending: false }, a3: { isPending: false } },
        view({ rules: { ...RULES, neverLead: ["a2"] } }),
      ),
      "no replica may take over: a2 may never lead: its tags in the stack say so (nofailover, failover_priority 0); " +
        "a3 confirms no commits (replica, 0 B behind), so Patroni would not hand the lead to it",
    ],
  ])("%s", (_title, seen, reason) => {
    expect(reasonOf(seen)).toBe(reason);
  });

  test("after a member that does not take its settings over", () => {
    expect(reasonOf(view(), new Map([["a3", 3]]))).toBe(
      "a3 still waits for a restart after 3 of them",
    );
  });
});
