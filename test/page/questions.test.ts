import { expect, test } from "vitest";
import { anotherLeader, powerCut, reinit, restart } from "../../src/page/questions";
import { switchState } from "../../src/page/switch-state";
import { seen, withoutPower } from "../operations/answers";

const calls: [string, string, object | undefined][] = [];
const act = (answer: object) => async (method: string, path: string, body?: object) => {
  calls.splice(0, calls.length, [method, path, body]);
  return answer;
};
const told = { refusals: [], objections: [], effects: [] };

test("a switch is quiet while there is power, and pulled only once it has been cut", () => {
  expect(switchState("up", false)).toEqual({ on: true, text: "power", waits: false });
  expect(switchState("off", false)).toEqual({ on: false, text: "power off", waits: false });
  expect(switchState("off", true)).toEqual({ on: true, text: "starting…", waits: true });
  expect(switchState("booting", false)).toMatchObject({ on: true, text: "starting…" });
});

test("before the power of the leader is cut it says what goes with it", () => {
  const { intent, what, grave } = powerCut("db1", seen());
  expect(what).toBe("Cut the power of db1");
  expect(grave).toBe(true);
  expect(intent).toMatchObject({
    effects: [
      expect.stringContaining("stops at once"),
      expect.stringContaining("db1 leads: no writes"),
      expect.stringContaining("starts it again"),
    ],
  });
  expect(JSON.stringify(powerCut("lb1", seen()).intent)).toContain("10.89.0.100 goes to another");
  expect(JSON.stringify(powerCut("lb2", seen()).intent)).not.toContain("10.89.0.100");
});

test("the loss of etcd's majority is said before the power that costs it is cut", () => {
  expect(JSON.stringify(powerCut("db1", seen()).intent)).not.toContain("majority");
  const one = seen(...withoutPower("db1"));
  expect(JSON.stringify(powerCut("db2", one).intent)).toContain(
    "The DCS (etcd) has no majority then",
  );
});

test("another leader comes by a switchover while one leads, and by a failover when nobody does", () => {
  expect(anotherLeader(seen())).toMatchObject({ what: "Switch over", intent: "switchover" });
  const nobody = seen(...withoutPower("db1"));
  expect(anotherLeader(nobody)).toMatchObject({ what: "Fail over", intent: "failover" });
  expect(anotherLeader(nobody, "db2").intent).toBe("failover?to=db2");
});

test("what is done is what was shown, and overrules only objections that were shown", async () => {
  const nobody = seen(...withoutPower("db1"));
  const done = { to: "db2", seconds: 4.2 };
  const { go } = anotherLeader(nobody);
  expect(await go(act(done), { ...told, to: "db2" })).toBe("db2 leads, after 4.2 s.");
  expect(calls).toEqual([["POST", "failover", { to: "db2", acceptDataLoss: false }]]);
  await go(act(done), { ...told, to: "db3", objections: ["Commits are lost."] });
  expect(calls).toEqual([["POST", "failover", { to: "db3", acceptDataLoss: true }]]);
  await restart("db2").go(act({ seconds: 3 }), { ...told, objections: ["A transaction."] });
  expect(calls).toEqual([["POST", "members/db2/restart", { force: true }]]);
});

test("a copy made anew takes the member's name, typed", async () => {
  expect(reinit("db3")).toMatchObject({ confirm: "db3", grave: true });
  expect(await reinit("db3").go(act({ seconds: 61 }), told)).toContain("after 1 min 1 s");
  expect(calls).toEqual([["POST", "members/db3/reinit", { confirm: "db3" }]]);
});
