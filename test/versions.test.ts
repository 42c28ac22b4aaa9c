import { expect, test } from "vitest";
import { compareVersions } from "../src/versions";

test.each([
  ["4.0.7", "4.0.6", 1],
  ["4.0.7-1~deb13u1", "4.0.7", 0],
  ["3.0.2-1", "3.2.0", -1],
  ["3.10", "3.9.9", 1],
  ["1:4.0", "4.0.0", 0],
  ["4", "4.0.1", -1],
])("%s beside %s", (a, b, sign) => {
  expect(Math.sign(compareVersions(a, b))).toBe(sign);
  expect(Math.sign(compareVersions(b, a)) + sign).toBe(0);
});
