import { expect, test } from "vitest";
import { judgeMembership, withMembers } from "../../src/provider/membership";
import type { HostsFacts, PreflightInputs } from "../../src/resources/inputs/preflight";

const ADDRESSES: { readonly [host: string]: string } = {
  ...{ db1: "10.0.0.1", db2: "10.0.0.2", db3: "10.0.0.3", db4: "10.0.0.4" },
};

function stack(...members: string[]): PreflightInputs {
  const hosts = members.map((name) => [name, { address: ADDRESSES[name] }]);
  return {
    fixed: { members: members.join(", ") },
    hosts: Object.fromEntries(hosts),
  } as unknown as PreflightInputs;
}

const never = () => false;

test("members may be added, and others removed, each in a run of its own", () => {
  const three = stack("db1", "db2", "db3");
  expect(judgeMembership(stack("db1", "db2", "db3", "db4"), three, never)).toEqual([]);
  expect(judgeMembership(stack("db1"), three, never)).toEqual([]);
  expect(judgeMembership(three, stack("db1"), never)).toEqual([]);
  expect(judgeMembership(three, {}, never)).toEqual([]);
});

test("a new member in place of another is refused with the order in which it can be done", () => {
  const [both, ...others] = judgeMembership(
    stack("db1", "db2", "db4"),
    stack("db1", "db2", "db3"),
    never,
  );
  expect(others).toEqual([]);
  expect(both).toContain(
    "First leave db3 in the list and run pulumi up, which adds db4; then take db3 out and run it again.",
  );
  expect(both).toContain("pgherd:cluster.removed: [db3]");
});

test("in place of one that is gone for good a new member comes at once", () => {
  const gone = (host: string) => host === "db3";
  expect(judgeMembership(stack("db1", "db2", "db4"), stack("db1", "db2", "db3"), gone)).toEqual([]);
});

test("that nobody is left who has the data is refused", () => {
  expect(judgeMembership(stack("db3", "db4"), stack("db1", "db2"), never)).toEqual([
    "pgherd:cluster.members: expected one of db1, db2, which have the data, got none of them. " +
      "Add db3, db4 beside them first; when they stream, take the old ones out.",
  ]);
});

test("a member at another address is refused, and told how it is replaced", () => {
  const now = stack("db1", "db2");
  const before = { ...now, hosts: { ...now.hosts, db2: { address: "10.0.0.9" } } };
  expect(judgeMembership(now, before as unknown as PreflightInputs, never)).toEqual([
    expect.stringMatching(
      /^pgherd:hosts\.db2\.address: expected 10\.0\.0\.9, where the member db2 is, got 10\.0\.0\.2\..*add the new host under another name/,
    ),
  ]);
});

test.each([
  ["survey", {}, "cluster.migration stands in the stack, got db3 gone."],
  ["move", {}, "let pulumi up end the move"],
])("members stay as they are while there is a %s", (block, value, said) => {
  const now = { ...stack("db1", "db2"), [block]: value };
  expect(judgeMembership(now, stack("db1", "db2", "db3"), never)).toEqual([
    expect.stringContaining(said),
  ]);
});

const FACTS: HostsFacts = { smallest: { memory: 8, cores: 4, disk: 100 }, versions: {} };

function learned(
  now: PreflightInputs,
  known: PreflightInputs & { facts: HostsFacts },
  withData: readonly string[],
  facts = FACTS,
): HostsFacts {
  const seen = Object.keys(now.hosts).map((host) => ({
    host,
    facts: { data: { found: withData.includes(host) } },
  }));
  return withMembers(facts, now, seen as never, known);
}

test("who comes and who goes is kept in mind until the list changes again", () => {
  const three = { ...stack("db1", "db2", "db3"), facts: FACTS };
  const four = stack("db1", "db2", "db3", "db4");
  const all = ["db1", "db2", "db3"];
  const come = learned(four, three, all);
  expect(come.joining).toEqual(["db4"]);
  expect(come).not.toHaveProperty("leaving");
  // Something else has changed before it has copied.
  expect(learned(four, { ...four, facts: come }, all).joining).toEqual(["db4"]);
  expect(learned(four, { ...four, facts: come }, [...all, "db4"])).not.toHaveProperty("joining");
  const gone = learned(stack("db1", "db2"), three, all);
  expect(gone.leaving).toEqual({ db3: "10.0.0.3" });
  const further = learned(stack("db1"), { ...stack("db1", "db2"), facts: gone }, all);
  expect(further.leaving).toEqual({ db3: "10.0.0.3", db2: "10.0.0.2" });
  // It has come back.
  const back = learned(stack("db1", "db3"), { ...stack("db1"), facts: further }, all);
  expect(back).toMatchObject({ joining: ["db3"], leaving: { db2: "10.0.0.2" } });
});

test("nobody joins or leaves a cluster that has no data yet", () => {
  const two = { ...stack("db1", "db2"), facts: FACTS };
  expect(learned(stack("db1", "db3"), two, [])).toEqual(FACTS);
});

test("a larger new host retunes nobody, a smaller one all", () => {
  const one = { ...stack("db1"), facts: FACTS };
  const two = stack("db1", "db2");
  const larger = { ...FACTS, smallest: { memory: 16, cores: 8, disk: 50 } };
  expect(learned(two, one, ["db1"], larger).smallest).toEqual({ memory: 8, cores: 4, disk: 50 });
});
