import { expect, test } from "vitest";
import { foreseeVoters, judgeVoters, votersOf, withVoters } from "../../src/provider/voters";
import type { HostsFacts, PreflightInputs } from "../../src/resources/inputs/preflight";

const ADDRESSES: { [host: string]: string } = {
  db1: "10.89.0.11",
  db2: "10.89.0.12",
  db3: "10.89.0.13",
  w1: "10.89.0.29",
};

/** A stack in which these vote. */
function stack(...voters: string[]): PreflightInputs {
  return {
    fixed: {
      "dcs.kind": "etcd",
      "dcs.clientPort": "2379",
      "dcs.members": voters.length > 0 ? voters.join(", ") : "none",
    },
    hosts: Object.fromEntries(
      Object.entries(ADDRESSES).map(([host, address]) => [
        host,
        { address, dcsDirectory: "/var/lib/etcd/demo" },
      ]),
    ),
  } as unknown as PreflightInputs;
}

const FACTS = { smallest: { memory: 1, cores: 1, disk: 1 }, versions: {} } as HostsFacts;
const known = (inputs: PreflightInputs, voters?: HostsFacts["voters"]) => ({
  ...inputs,
  facts: { ...FACTS, ...(voters && { voters }) },
});
const seen = (...withData: string[]) =>
  Object.keys(ADDRESSES).map((host) => ({
    host,
    facts: { dcsFound: withData.includes(host) } as never,
  }));

test("who comes to vote, leaves and stays is told by the two lists", () => {
  expect(votersOf(stack("db1", "db2", "w1"), stack("db1", "db2", "db3"))).toEqual({
    joining: ["w1"],
    leaving: ["db3"],
    staying: ["db1", "db2"],
  });
});

test("in the first run nobody comes, nor where the DCS is somebody else's", () => {
  expect(votersOf(stack("db1"), {}).joining).toEqual([]);
  expect(votersOf(stack("db1"), stack()).joining).toEqual([]);
  expect(votersOf(stack(), stack("db1")).leaving).toEqual([]);
});

test("they are kept in mind, those of before with their addresses", () => {
  const now = stack("db1", "db2", "w1");
  const { voters } = withVoters(
    FACTS,
    now,
    seen("db1", "db2", "db3"),
    known(stack("db1", "db2", "db3")),
  );
  expect(voters).toEqual({ joining: ["w1"], former: { db3: ADDRESSES.db3 } });
  // The run was cut off.
  expect(withVoters(FACTS, now, seen("db1", "db2"), known(now, voters)).voters).toEqual(voters);
  // And for life: what a host has may be of an earlier time.
  expect(withVoters(FACTS, now, seen("db1", "db2", "w1"), known(now, voters)).voters).toEqual(
    voters,
  );
});

test("one that is named again is none of the former", () => {
  const before = known(stack("db1"), {
    joining: [],
    former: { db2: "10.89.0.12", db3: "10.89.0.13" },
  });
  expect(withVoters(FACTS, stack("db1", "db2", "w1"), seen("db1"), before).voters).toEqual({
    joining: ["db2", "w1"],
    former: { db3: "10.89.0.13" },
  });
});

test("a cluster whose DCS has not begun has nobody to wait for", () => {
  const three = stack("db1", "db2", "db3");
  expect(withVoters(FACTS, three, seen(), known(stack("db1"))).voters).toBeUndefined();
});

test("a voter that is no member does not move under its name", () => {
  const moved = stack("db1", "db2", "w1");
  const now = {
    ...moved,
    hosts: { ...moved.hosts, w1: { ...moved.hosts.w1, address: "10.89.0.30" } },
  };
  expect(judgeVoters(now as PreflightInputs, moved)).toEqual([
    expect.stringContaining(
      "pgherd:hosts.w1.address: expected 10.89.0.29, where w1 votes in the DCS, got 10.89.0.30.",
    ),
  ]);
});

test("they stay as they are while the cluster moves, comes from a migration, or its DCS cannot", () => {
  const [before, now] = [stack("db1"), stack("db1", "db2", "db3")];
  expect(judgeVoters(now, before)).toEqual([]);
  const refused = (change: object) =>
    judgeVoters({ ...now, ...change } as PreflightInputs, before)[0];
  expect(refused({ move: {} })).toContain("since the cluster moves to another DCS");
  expect(refused({ survey: {} })).toContain("since pgherd:cluster.migration stands in the stack");
  const consul = (inputs: PreflightInputs) =>
    ({ ...inputs, fixed: { ...inputs.fixed, "dcs.kind": "consul" } }) as PreflightInputs;
  expect(judgeVoters(consul(now), consul(before))[0]).toContain(
    "expected those of the last run, got db2 new, db3 new. Servers of consul cannot be added or removed yet",
  );
});

test("what becomes of them is told before", () => {
  expect(foreseeVoters(stack("db1", "db2", "w1"), stack("db1", "db2", "db3"))).toEqual([
    "w1 comes to vote in etcd: it copies what the others have, and counts for the majority only then. Clients notice nothing",
    "db3 votes in etcd no more: it is taken out once those that come vote. Its data stays in /var/lib/etcd/demo on db3",
  ]);
});

test("nothing of it is kept in mind where the DCS becomes another one", () => {
  const before = known(stack("db1"), { joining: ["db1"], former: { db2: "10.89.0.12" } });
  const consul = { ...stack("db1"), fixed: { "dcs.kind": "consul", "dcs.members": "db1" } };
  expect(withVoters(FACTS, consul as never, seen("db1"), before).voters).toBeUndefined();
  expect(withVoters(FACTS, stack(), seen("db1"), before).voters).toBeUndefined();
});
