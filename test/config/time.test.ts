import { expect, test } from "vitest";
import { epochOf } from "../../src/config/time";

test.each([
  ["2026-11-21 14:30:00+01", "2026-11-21T13:30:00.000Z"],
  ["2026-11-21 14:30+0130", "2026-11-21T13:00:00.000Z"],
  ["2026-11-21T14:30Z", "2026-11-21T14:30:00.000Z"],
  ["2026-11-21 14:30:00.5+00:00", "2026-11-21T14:30:00.500Z"],
])("%s is the moment %s", (text, moment) => {
  expect(new Date(epochOf(text) * 1000).toISOString()).toBe(moment);
});

test.each([
  ...["yesterday", "2020-01-01", "2026-11-28 19:23:00", "2026-11-28 19:23:00 CET", "now", ""],
  ...["2026-02-30 10:00Z", "2026-13-01 10:00Z", "2026-11-21 14:60Z", "2026-11-21 14:30+25"],
])('"%s" is no moment that everybody would read the same', (text) => {
  expect(epochOf(text)).toBeNaN();
});
