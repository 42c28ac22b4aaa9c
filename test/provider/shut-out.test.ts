import { afterEach, expect, test, vi } from "vitest";
import type { Context } from "../../src/provider/context";
import { Closed } from "../../src/provider/shut-out";

afterEach(() => {
  vi.useRealTimers();
});

test("a server that lets nobody in is waited for as long as it may be full, and then named with the remedy", async () => {
  vi.useFakeTimers();
  const said: { [host: string]: string | undefined } = { db1: undefined, db2: "too many clients" };
  const context = {
    host: (name: string) => ({ observe: async () => said[name] }),
  } as unknown as Context;
  const cluster = { members: { db1: "10.89.0.11:8008", db2: "10.89.0.12:8008" }, port: 5432 };
  const closed = new Closed();
  const waits = { missing: "db2: PostgreSQL lets nobody in: too many clients" };
  expect(await closed.see(context, cluster)).toEqual(waits);
  vi.advanceTimersByTime(14_000);
  said.db2 = undefined;
  expect(await closed.see(context, cluster)).toBeUndefined();
  // It counts from anew.
  said.db2 = "too many clients";
  expect(await closed.see(context, cluster)).toEqual(waits);
  vi.advanceTimersByTime(15_000);
  expect(await closed.see(context, cluster)).toEqual({
    hopeless: expect.stringMatching(
      /^db2: PostgreSQL lets nobody in: too many clients\. .*pgherd reinit db2/,
    ) as string,
    next: "mend that, then run pulumi up again.",
  });
});
