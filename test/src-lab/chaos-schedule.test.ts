import { expect, test } from "vitest";
import { outcomeOf } from "../../src/lab/chaos/load";
import { schedule } from "../../src/lab/chaos/schedule";

const ROLES = {
  leader: "db2",
  replicas: ["db1", "db3"],
  members: ["db1", "db2", "db3"],
  holder: "lb1",
  balancers: ["lb1", "lb2"],
  dcs: { hosts: ["dcs1", "dcs2", "dcs3"], ports: [12379, 12380] },
};

/** What a seed plays, in full. */
function played(seed: number, minutes = 10) {
  return schedule(seed, minutes).map(({ wish, ...rest }) => ({ ...rest, wish: wish?.(ROLES) }));
}

test("the same seed plays the same faults, another one others", () => {
  expect(played(7)).toEqual(played(7));
  expect(played(7)).not.toEqual(played(8));
});

test("a schedule fills its time, and hardly more", () => {
  const seconds = played(3, 5).reduce((sum, { lasts, pause }) => sum + lasts + pause, 0);
  expect(seconds).toBeGreaterThanOrEqual(300);
  expect(seconds).toBeLessThan(300 + 80);
});

test("in the long run every kind of fault comes", () => {
  expect(new Set(played(1, 600).map(({ name }) => name)).size).toBe(13);
});

test("a leader is cut off from the DCS where that is, on whatever ports", () => {
  const cut = played(1, 600).find(({ name }) => name === "leader cut off from the DCS");
  expect(cut?.wish?.args).toEqual({
    from: ["db2"],
    to: ["dcs1", "dcs2", "dcs3"],
    ports: [12379, 12380],
  });
});

test("only an error that proves that nothing is left is a failure", () => {
  for (const code of ["25006", "57P03", "40001", "23505", "42P01"]) {
    expect(outcomeOf(code), code).toBe("fail");
  }
  for (const code of [undefined, "57P01", "57P02", "57014", "08006", "ECONNRESET"]) {
    expect(outcomeOf(code), code).toBe("unknown");
  }
});
