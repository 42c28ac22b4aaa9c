import { expect, test } from "vitest";
import { ago, count } from "../../src/page/words";

test.each([
  [0, "0 s"],
  [59.4, "59 s"],
  [60, "1 min"],
  [3600, "1 h"],
  [18_180, "5 h 3 min"],
  [48 * 3600, "2 days"],
])("%d seconds are %s", (seconds, said) => expect(ago(seconds)).toBe(said));

test("figures have their units", () => {
  expect([count(1, "session"), count(0, "session")]).toEqual(["1 session", "0 sessions"]);
});
