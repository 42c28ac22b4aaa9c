import { expect, test } from "vitest";
import { asJson } from "../../src/cli/logs";

test("a line of a log has its time as everybody writes times, with its offset", () => {
  const line = { at: 1795226400123, host: "db1", unit: "patroni", text: "no action" };
  expect(JSON.parse(asJson(line))).toEqual({ ...line, at: "2026-11-21T02:00:00.123Z" });
});
