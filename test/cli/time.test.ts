import { expect, test } from "vitest";
import { parseSince, parseSpan, parseTime, tellTime } from "../../src/cli/time";

const NOW = new Date("2026-11-21T22:00:00.000Z");
const at = (text: string) => parseTime("--at", text, NOW).toISOString();

test("a time is said by a span from now, or by date and time", () => {
  expect(at("+30m")).toBe("2026-11-21T22:30:00.000Z");
  expect(at("2026-11-22T02:00:00Z")).toBe("2026-11-22T02:00:00.000Z");
  expect(at("2026-11-22T02:00+01:00")).toBe("2026-11-22T01:00:00.000Z");
});

test("a time of day is the next one", () => {
  const next = parseTime("--at", "02:00", NOW);
  expect(next.getTime() - NOW.getTime()).toBeGreaterThan(0);
  expect(next.getTime() - NOW.getTime()).toBeLessThanOrEqual(24 * 3600 * 1000);
  expect([next.getHours(), next.getMinutes()]).toEqual([2, 0]);
});

test.each(["tomorrow", "25:00", "2026-13-01T00:00:00Z", "+5", "30"])("%s is no time", (text) => {
  expect(() => at(text)).toThrow(`--at: expected a time such as +30m, 02:00`);
});

test("a time that has passed is refused", () => {
  expect(() => at("2026-11-21T21:00:00Z")).toThrow("--at: expected a time to come");
});

test("a span is seconds, or says its unit", () => {
  expect([parseSpan("--for", "90"), parseSpan("--for", "1.5m"), parseSpan("--for", "2h")]).toEqual([
    90_000, 90_000, 7_200_000,
  ]);
  expect(() => parseSpan("--for", "long")).toThrow(
    '--for: expected a time such as 90s, 10m or 2h, got "long".',
  );
});
test("a day without a zone is another moment elsewhere: it is refused with what could be meant", () => {
  expect(() => at("2026-11-22 02:00")).toThrow(
    /--at: expected a time with its zone, got "2026-11-22 02:00".*Say 2026-11-22T02:00[+-]\d\d:\d\d \(here\) or 2026-11-22T02:00Z/s,
  );
});

test.each(["2026-11-31T02:00Z", "2027-02-29 02:00+01", "2026-11-22T24:30Z", "2026-11-22"])(
  "%s is no moment of any calendar",
  (text) => {
    expect(() => at(text)).toThrow("--at: expected a time such as");
  },
);

test.each([
  ["2026-11-22 02:00+01", "2026-11-22T01:00:00.000Z"],
  ["2026-11-22 04:00:30 +0530", "2026-11-21T22:30:30.000Z"],
])("%s is a time with its zone", (text, expected) => {
  expect(at(text)).toBe(expected);
});

test.each([
  ["-10m", "2026-11-21T21:50:00.000Z"],
  ["2h", "2026-11-21T20:00:00.000Z"],
  ["today", "2026-11-21T00:00:00.000Z"],
  ["yesterday", "2026-11-20T00:00:00.000Z"],
  ["2:30", "2026-11-21T02:30:00.000Z"],
  ["2026-11-20", "2026-11-20T00:00:00.000Z"],
  ["2026-11-20 12:30", "2026-11-20T12:30:00.000Z"],
  ["2026-11-20T12:30:00+01:00", "2026-11-20T11:30:00.000Z"],
])("logs since %s begin at one moment on all hosts", (text, expected) => {
  expect(parseSince("--since", text, NOW).toISOString()).toBe(expected);
});

test.each(["nonsense", "-5", "1 hour ago", "2026-13-01", "25:00", "", "-1h; true"])(
  'logs since "%s" are refused with what is accepted',
  (text) => {
    expect(() => parseSince("--since", text, NOW)).toThrow(
      /^--since: expected a time such as -10m, -2h, today, yesterday, 02:00, 2026-11-22 or/,
    );
  },
);

test("logs since a time to come are refused", () => {
  expect(() => parseSince("--since", "23:00", NOW)).toThrow(
    "--since: expected a time that has been",
  );
});

test("a moment is told by everybody's clock", () => {
  expect(tellTime(NOW)).toMatch(/22:00 UTC\)?$/);
});

test("a span of no time is none", () => {
  expect(() => parseSpan("--for", "0s")).toThrow("--for: expected a time");
});
