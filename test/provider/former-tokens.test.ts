import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { FormerToken } from "../../src/dcs/dcs";
import type { Probe } from "../../src/host/host";
import type { Context } from "../../src/provider/context";
import { formerTokens } from "../../src/provider/former-tokens";

const INPUTS = {
  cluster: "demo",
  kind: "consul" as const,
  members: { db1: "http://10.89.0.11:8500" },
  tokens: { "pgherd-demo-patroni": "9f86d081884c7d65" },
  patroni: { db1: "10.89.0.11:8008", db2: "10.89.0.12:8008" },
  left: [],
};

let former: FormerToken[];
/** When each Patroni has read the DCS last; one that does not answer has none. */
let seen: { [host: string]: number | undefined };
let deleted: number;

const context = {
  progress() {},
  host: (name: string) => ({
    async observe({ script }: Probe<unknown>): Promise<unknown> {
      if (script.includes("/acl/tokens")) return former;
      return seen[name] && { dcsLastSeen: seen[name] };
    },
    async change(): Promise<string> {
      deleted++;
      former = [];
      return "";
    },
  }),
} as unknown as Context;

beforeEach(() => {
  former = [{ name: "pgherd-demo-patroni", id: "6f1ed002-ab5d-4b2e-a0c1-1f0e2d3c4b5a" }];
  seen = { db1: 100, db2: 100 };
  deleted = 0;
  vi.useFakeTimers();
});

afterEach(() => void vi.useRealTimers());

test("a token of before stays until each Patroni has begun a round with its new files", async () => {
  const applied = formerTokens.apply(context, "urn", INPUTS);
  await vi.advanceTimersByTimeAsync(5000);
  seen = { db1: 110, db2: 110 };
  await vi.advanceTimersByTimeAsync(5000);
  // What it has read last may have been asked for with the old one.
  expect(deleted).toBe(0);
  seen = { db1: 120, db2: 110 };
  await vi.advanceTimersByTimeAsync(5000);
  expect(deleted).toBe(0);
  seen = { db1: 120, db2: 120 };
  await vi.advanceTimersByTimeAsync(5000);
  expect(await applied).toEqual(INPUTS);
  expect(deleted).toBe(1);
});

test("a Patroni that does not answer is not waited for, one that hangs keeps the token", async () => {
  seen = { db1: 100 };
  const applied = expect(formerTokens.apply(context, "urn", INPUTS)).rejects.toThrow(
    "expected Patroni to have read its files again, before the tokens of before go within 180 seconds, got: db1 may not have read them yet",
  );
  await vi.advanceTimersByTimeAsync(200_000);
  await applied;
  expect(deleted).toBe(0);
  seen = {};
  await formerTokens.apply(context, "urn", INPUTS);
  expect(deleted).toBe(1);
});

test("where there is none of before nobody is waited for", async () => {
  former = [];
  expect(await formerTokens.apply(context, "urn", INPUTS)).toEqual(INPUTS);
  expect(deleted).toBe(0);
});

test("one of before that is still let in is drift, and a preview says that it goes", async () => {
  const found = await formerTokens.read(context, INPUTS, INPUTS);
  expect(found?.left).toEqual(["pgherd-demo-patroni"]);
  const said = await formerTokens.foresee?.(context, INPUTS, {
    ...INPUTS,
    left: found?.left ?? [],
  });
  expect(said).toEqual([
    "consul lets nobody in by what pgherd-demo-patroni was before, once all have the present one",
  ]);
});
