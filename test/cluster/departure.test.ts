import { expect, test } from "vitest";
import {
  foreseeLeaving,
  whyNotJoin,
  whyNotLeave,
  type Departing,
} from "../../src/cluster/departure";
import type { ClusterMember } from "../../src/facts/patroni";

function member(name: string, role: string, state = "streaming"): ClusterMember {
  return { name, role, state, lagBytes: 0, pendingRestart: false };
}

const VIEW = {
  paused: false,
  members: [
    member("db1", "leader", "running"),
    member("db2", "sync_standby"),
    member("db3", "replica"),
  ],
};

function leaves(leaving: string[], changes: Partial<Departing> = {}): string[] {
  return whyNotLeave({
    view: VIEW,
    leaving,
    staying: ["db1", "db2", "db3"].filter((name) => !leaving.includes(name)),
    gone: [],
    rules: { neverLead: [], maximumLag: 1000 },
    configuration: {},
    ...changes,
  });
}

test("a replica may leave, the leader, and who confirms commits", () => {
  for (const one of [["db3"], ["db2"], ["db1"], ["db2", "db3"], ["db1", "db2"]])
    expect(leaves(one), one.join()).toEqual([]);
});

test("nobody leaves while one that stays does not stream", () => {
  const members = [VIEW.members[0], member("db2", "replica", "starting"), member("db3", "replica")];
  expect(leaves(["db3"], { view: { paused: false, members: members as ClusterMember[] } })).toEqual(
    [
      "db2: expected every member that stays to stream before db3 leaves, found starting: there would be fewer copies than the stack says. " +
        "Mend that first (pgherd status), or take it out of the stack as well.",
    ],
  );
  // One that nobody knows is no copy either.
  const two = { paused: false, members: [VIEW.members[0], VIEW.members[2]] as ClusterMember[] };
  expect(leaves(["db3"], { view: two })).toEqual([expect.stringContaining("found nothing of it")]);
});

test("a replica of which an older Patroni says only that it runs is a copy if it is near its leader, on the same timeline", () => {
  const [leader, , third] = VIEW.members as [ClusterMember, ClusterMember, ClusterMember];
  const found = (changes: Partial<ClusterMember>) => {
    const two = { ...member("db2", "replica", "running"), timeline: 2, ...changes };
    const members = [{ ...leader, timeline: 2 }, two, third];
    return leaves(["db3"], { view: { paused: false, members } });
  };
  expect(found({})).toEqual([]);
  expect(found({ state: "streaming", timeline: undefined, lagBytes: undefined })).toEqual([]);
  for (const changes of [{ lagBytes: 1001 }, { timeline: 1 }, { timeline: undefined }])
    expect(found(changes), JSON.stringify(changes)).toEqual([
      expect.stringMatching(/^db2: expected every member that stays to stream/),
    ]);
  expect(found({ lagBytes: undefined })).toEqual([
    expect.stringContaining("found running on timeline 2, an unknown distance behind: there"),
  ]);
});

test("nobody leaves a cluster that is paused, that nobody leads, or of which no member answers", () => {
  expect(leaves(["db3"], { view: { ...VIEW, paused: true } })).toEqual([
    expect.stringContaining("pgherd resume"),
  ]);
  const members = VIEW.members.map((one) => ({ ...one, role: "replica" }));
  expect(leaves(["db3"], { view: { paused: false, members } })).toEqual([
    expect.stringContaining("Nobody leaves before one leads."),
  ]);
  expect(leaves(["db3"], { view: undefined })).toEqual([
    expect.stringContaining("expected a member that answers"),
  ]);
});

test("the last replica that confirms in the mode strict stays", () => {
  const strict = { synchronous_mode_strict: true, synchronous_node_count: 1 };
  expect(leaves(["db3"], { configuration: strict })).toEqual([]);
  expect(leaves(["db1"], { configuration: strict })).toEqual([]);
  for (const one of [
    ["db2", "db3"],
    ["db1", "db3"],
  ])
    expect(leaves(one, { configuration: strict })).toEqual([
      expect.stringContaining("nobody could write. Add members first"),
    ]);
});

test("a leader leaves only to somebody who may lead", () => {
  expect(leaves(["db1"], { rules: { neverLead: ["db2", "db3"], maximumLag: 1000 } })).toEqual([
    expect.stringMatching(/^db1: expected a member that could take the lead.*db2 may never lead/),
  ]);
});

test("one that is gone for good and still leads is not gone", () => {
  expect(leaves(["db1"], { gone: ["db1"] })).toEqual([
    expect.stringContaining("found that it leads, as the others see it. Switch its host off"),
  ]);
});

test("one that is gone for good and still seen to run is not gone, whether it leads or not", () => {
  expect(leaves(["db3"], { gone: ["db3"] })).toEqual([
    "db3: expected a member that is gone for good, found streaming, as the others see it: it holds its lease in the DCS, so it runs. " +
      "Switch its host off and wait until the lease ends (failover.ttl), or let it leave in order; then pulumi up again.",
  ]);
  const members = [VIEW.members[0], VIEW.members[1]] as ClusterMember[];
  expect(leaves(["db3"], { gone: ["db3"], view: { paused: false, members } })).toEqual([]);
});

test("a slot of the stack's with the name of who leaves is told of", () => {
  expect(leaves(["db3"], { configuration: { slots: { db3: { type: "physical" } } } })).toEqual([
    expect.stringMatching(/^pgherd:cluster\.postgresql\.slots: .*got db3/),
  ]);
});

test("strict begins only when those are there who confirm", () => {
  const strict = { synchronous_mode_strict: true, synchronous_node_count: 1 };
  expect(whyNotJoin(["db2", "db3"], ["db1"], strict)).toEqual([
    expect.stringContaining('First add the members with mode: "synchronous"'),
  ]);
  expect(whyNotJoin(["db3"], ["db1", "db2"], strict)).toEqual([]);
  expect(whyNotJoin(["db2"], ["db1"], { synchronous_mode_strict: false })).toEqual([]);
  expect(whyNotJoin([], ["db1"], strict)).toEqual([]);
});

test("what becomes of who leaves is told in plain words", () => {
  const tell = (leaving: string[], gone: string[] = []) =>
    foreseeLeaving(
      {
        ...{ view: VIEW, leaving, gone, rules: { neverLead: [], maximumLag: 1000 } },
        staying: ["db1", "db2", "db3"].filter((name) => !leaving.includes(name)),
      },
      () => "/var/lib/postgresql/17/main",
    );
  expect(tell(["db3"])).toEqual([
    "db3 leaves: it is drained in HAProxy, Patroni there is stopped and stays so, and its slot is dropped. " +
      "Its data stays in /var/lib/postgresql/17/main on db3",
  ]);
  expect(tell(["db2"])).toEqual([
    expect.stringMatching(
      /^db2 leaves: another one confirms commits in its place first\. It is drained/,
    ),
  ]);
  expect(tell(["db1"])).toEqual([
    expect.stringMatching(
      /^db1 leaves: it leads: first a switchover to a member that stays \(now db2 or db3; no writes for some seconds\)\. Then it is drained/,
    ),
  ]);
  expect(tell(["db3"], ["db3"])).toEqual([
    expect.stringContaining("the other hosts let it in no more"),
  ]);
});
