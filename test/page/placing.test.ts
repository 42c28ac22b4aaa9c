import { expect, test } from "vitest";
import { inOneLine } from "../../src/page/placing";

test("lines are drawn only between cards whose rows do not break", () => {
  expect(inOneLine([])).toBe(true);
  expect(inOneLine([120, 120.4, 120])).toBe(true);
  // On a phone, or when five members do not fit.
  expect(inOneLine([120, 260, 400])).toBe(false);
  expect(inOneLine([120, 120, 260])).toBe(false);
});
