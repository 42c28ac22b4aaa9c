import { expect, test } from "vitest";
import { median, verdicts, type Measurement } from "../../bench/results";

test("the median of an even number of rounds lies between the two in the middle", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([9, 1, 2])).toBe(2);
});

const noOp = (runner: Measurement["runner"], seconds: number): Measurement => ({
  part: "no-op",
  size: 5,
  runner,
  seconds: [seconds],
});

test("a goal is reached by the ratio of two medians", () => {
  const found = verdicts({ measurements: [noOp("pgherd", 2), noOp("Ansible", 30)] });
  expect(found).toEqual([
    { goal: "no-op at least 12 × faster than Ansible", measured: "15.00 ×", reached: true },
  ]);
});

test("a goal is missed by the same rule", () => {
  const [found] = verdicts({ measurements: [noOp("pgherd", 2), noOp("floor", 1)] });
  expect(found).toMatchObject({ measured: "2.00 ×", reached: false });
});

test("nothing is said of a goal of which only one side was measured", () => {
  expect(verdicts({ measurements: [noOp("pgherd", 2)] })).toEqual([]);
});

test("the provider's memory is compared with its limit", () => {
  const [found] = verdicts({ measurements: [], memory: { size: 20, bytes: 160e6 } });
  expect(found).toMatchObject({ measured: "160 MB", reached: false });
});
