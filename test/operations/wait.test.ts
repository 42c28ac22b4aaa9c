import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { waitFor } from "../../src/operations/wait";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const OPTIONS = { expected: "a copy", seconds: 10, next: "look.", progress() {} };

/** Waits for what comes after that many seconds, while the figure that it tells changes so often. */
async function waited(comesAfter: number, changesEvery: number): Promise<string> {
  const begun = Date.now();
  const seconds = () => (Date.now() - begun) / 1000;
  const done = waitFor<string>(
    () =>
      Promise.resolve(
        seconds() >= comesAfter
          ? { done: "there" }
          : { missing: "not yet", goesOn: `${Math.floor(seconds() / changesEvery)} %` },
      ),
    OPTIONS,
  ).catch((error: Error) => error.message);
  await vi.advanceTimersByTimeAsync(120_000);
  return done;
}

test("what goes on is waited for, however long it takes", async () => {
  expect(await waited(60, 5)).toBe("there");
});

test("what stands still is given up after its time", async () => {
  expect(await waited(60, 30)).toContain("expected a copy within 10 seconds, got: not yet.");
});
