import { describe, expect, test } from "vitest";
import { chooseLeader, nobodyBecause, type ChangeOfLead } from "../../src/cluster/candidates";
import { nextStep } from "../../src/cluster/rolling-restart";
import { clusterViewProbe } from "../../src/facts/patroni";
import CASES from "./candidates.json";

const seen = (answer: unknown) =>
  clusterViewProbe("10.89.0.11:8008").parse(JSON.stringify(answer))?.members ?? [];

const RULES = { neverLead: [] as string[], synchronous: true, maximumLag: 1_048_576 };

describe.each(CASES)("$cluster", ({ answer, rules, handover, failover }) => {
  const members = seen(answer);
  const applied = { ...RULES, ...rules };

  test.each<[ChangeOfLead, { able: readonly string[]; because?: string }]>([
    ["handover", handover],
    ["failover", failover],
  ])("a %s finds who may lead, or why each may not", (change, expected) => {
    const choice = chooseLeader(applied, change, members);
    expect(choice.able.map(({ name }) => name)).toEqual(expected.able);
    if (expected.able.length === 0) expect(nobodyBecause(choice)).toBe(expected.because);
  });

  test("a rolling restart hands the lead to nobody else, and to nobody sooner", () => {
    const step = nextStep(
      {
        members: members.map((one) => ({ ...one, isPending: one.role === "leader" })),
        ...{ paused: false, rules: applied, leaderFirst: false, leaderStays: false },
        ...{ replicasFirst: false, tryFirst: false },
      },
      new Map(),
    );
    if (step.kind === "switchover") expect(step.to).toBe(handover.able[0]);
    else expect(step.kind).toBe(members.length > 1 ? "stop" : "restart");
  });
});

test("members that are equal otherwise are ranked by whether they can be reached from here, then by name", () => {
  const member = { role: "sync_standby", state: "streaming", lagBytes: 0 };
  const choice = chooseLeader(RULES, "handover", [
    { ...member, name: "db1", unasked: true as const },
    { ...member, name: "db3", lagBytes: 16 },
    { ...member, name: "db2" },
    { ...member, name: "db4" },
  ]);
  expect(choice.able.map(({ name }) => name)).toEqual(["db2", "db4", "db3", "db1"]);
});
