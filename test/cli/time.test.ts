import { expect, test } from "vitest";
import { parseSpan, parseTime } from "../../src/cli/time";

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
