import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { CONTENDERS } from "../../bench/contenders";
import { renderMeasurement, renderResults } from "../../bench/report";
import { PARTS, type Measurement } from "../../bench/results";
import { SIZES } from "../../bench/sizes";

const slow: Measurement[] = PARTS.flatMap((part) =>
  SIZES.flatMap((size) =>
    [...CONTENDERS, "floor" as const].map((runner): Measurement => ({
      part,
      size,
      runner,
      seconds: [runner === "pgherd" ? 9.99 : 999.9],
    })),
  ),
);

test("the table fits on 80 columns even with the largest numbers", () => {
  const text = stripVTControlCharacters(
    renderResults({ measurements: slow, memory: { size: 20, bytes: 123e6 } }),
  );
  expect(Math.max(...text.split("\n").map((line) => line.trimEnd().length))).toBeLessThanOrEqual(
    80,
  );
});

test("each time stands beside how many times pgherd's it is", () => {
  const text = stripVTControlCharacters(
    renderResults({
      measurements: [
        { part: "no-op", size: 5, runner: "pgherd", seconds: [2, 3, 1] },
        { part: "no-op", size: 5, runner: "Ansible", seconds: [25, 24, 26] },
      ],
    }),
  );
  expect(text).toMatch(/nothing to change +5 +2\.00 +25\.0 13×/);
});

test("what was not measured has no line", () => {
  const text = renderResults({
    measurements: [{ part: "no-op", size: 5, runner: "pgherd", seconds: [2] }],
  });
  expect(text).not.toContain("dry run");
});

test("every round's time is told as it comes", () => {
  expect(
    renderMeasurement({ part: "change", size: 5, runner: "pyinfra", seconds: [7.123, 8] }),
  ).toBe("one timeout, 5 hosts, pyinfra: 7.12 8.00 s");
});
