import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { renderStatus } from "../../src/cli/status";
import type { AgentCondition } from "../../src/dcs/dcs";
import { dcsHealth } from "../../src/operations/roles/dcs";
import { assembleStatus, type HostAnswer, type StatusPlan } from "../../src/operations/status";
import { parseSettings } from "../../src/config/parse";
import { planCluster } from "../../src/plan/plan";
import { STACKS } from "../stacks";
import { answers, AT, PLAN, says, seen, unreachable } from "./answers";

const plan: StatusPlan = {
  ...PLAN,
  dcs: {
    kind: "consul",
    members: { db1: "http://10.89.0.11:8500", db2: "http://10.89.0.12:8500" },
  },
  ownDcs: [{ kind: "consul" as const, access: { agents: ["db1", "db2", "db3"] } }],
};

function agentIs(dcsAgent: AgentCondition, ...others: HostAnswer[]) {
  return assembleStatus(plan, answers(says("db3", { dcs: undefined, dcsAgent }), ...others), AT);
}

test("agents of hosts that do not vote are asked, those who vote for themselves", () => {
  const parts = (host: string) => Object.keys(dcsHealth.questions(plan, host));
  expect([parts("db1"), parts("db3"), parts("lb1")]).toEqual([["dcs"], ["dcsAgent"], []]);
  const status = agentIs("serving");
  expect(status.healthy).toBe(true);
  expect(status.dcs.agents).toEqual([{ host: "db3", condition: "serving" }]);
  expect(Object.keys(seen().dcs)).toEqual(["kind", "members"]);
});

test.each([
  ["consul", ["dcs"], ["dcsAgent"]],
  ["moving", ["dcs", "formerDcs"], ["dcsAgent", "formerDcs"]],
])("a stack's own plan (%s) says which hosts have one", (stack, voter, other) => {
  const own = planCluster(parseSettings((STACKS[stack] as () => object)()));
  const parts = (host: string) => Object.keys(dcsHealth.questions(own, host));
  expect([parts("db1"), parts("db3")]).toEqual([voter, other]);
});

test.each<[AgentCondition, string]>([
  [
    "away",
    "db3: consul's agent does not answer, so Patroni there cannot ask the DCS, and can neither be elected nor lead for long by itself.",
  ],
  [
    "refused",
    "db3: consul refuses the token by which its agent is asked. pulumi up gives it its rights again.",
  ],
  [
    "cut off",
    "db3: consul's agent reaches no server that leads, so Patroni there cannot ask the DCS.",
  ],
])("an agent that is %s makes the cluster less than whole, and is named", (condition, problem) => {
  const status = agentIs(condition);
  expect([status.health, status.problems]).toEqual(["degraded", [problem]]);
  expect(status.dcs.agents).toEqual([{ host: "db3", condition }]);
  const text = stripVTControlCharacters(renderStatus(status));
  expect(text).toContain(
    `DCS       consul: db1 (leader), db2\n          agents: db3 (${condition})`,
  );
});

test("that nobody leads is told once, not by each agent too", () => {
  const ill = { dcs: { healthy: false, leader: false, alarms: [] } };
  const { problems } = agentIs("cut off", says("db1", ill), says("db2", ill));
  expect(problems.join()).toContain("has no majority");
  expect(problems.join()).not.toContain("agent");
});

test("an agent on a host that cannot be asked is not known", () => {
  const { dcs, problems } = assembleStatus(plan, answers(unreachable("db3")), AT);
  expect(dcs.agents).toEqual([{ host: "db3", condition: "unknown" }]);
  expect(problems.join()).not.toContain("agent");
});

test("before a cluster has moved, its status tells of the DCS that it is in", () => {
  const { dcs: former } = PLAN;
  const moving: StatusPlan = { ...plan, former };
  const parts = (host: string) => Object.keys(dcsHealth.questions(moving, host));
  expect([parts("db1"), parts("db3")]).toEqual([
    ["dcs", "formerDcs"],
    ["dcsAgent", "formerDcs"],
  ]);
  const absent = { healthy: false, leader: false, alarms: [] };
  const old = { healthy: true, leader: false, alarms: [] };
  const at = (name: string, dcs: object) =>
    says(name, { dcs: dcs as never, formerDcs: old, dcsAgent: undefined });
  const before = assembleStatus(
    moving,
    answers(at("db1", absent), at("db2", absent), at("db3", absent)),
    AT,
  );
  expect([before.health, before.problems]).toEqual(["healthy", []]);
  expect(before.dcs).toMatchObject({ kind: former.kind, movesTo: "consul" });
  expect(before.dcs.members.map(({ host }) => host)).toEqual(Object.keys(former.members));
  expect(stripVTControlCharacters(renderStatus(before))).toContain(
    "DCS       etcd: db1, db2, db3\n          not moved yet to the consul of the stack: pulumi up does that\n",
  );
  const after = assembleStatus(moving, answers(at("db1", old), at("db2", old)), AT);
  expect([after.dcs.kind, after.dcs.movesTo]).toEqual(["consul", undefined]);
});
