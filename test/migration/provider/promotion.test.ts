import { expect, test, vi } from "vitest";
import type { Probe } from "../../../src/host/host";
import type { Context } from "../../../src/provider/context";
import { promotion } from "../../../src/migration/provider/promotion";
import { isPromoted, untilFollowing } from "../../../src/migration/provider/standby-view";
import type { PromotionInputs } from "../../../src/migration/inputs/standby";

// How far the members have followed is of standby-view.ts; here it is what is done once they have.
vi.mock("../../../src/migration/provider/standby-view", { spy: true });

const INPUTS = {
  ...{ cluster: "shop", host: "old", memberPort: 5433, slot: "pgherd", port: 5432 },
  members: { db1: "10.89.0.11:8008", db2: "10.89.0.12:8008" },
  ...{ superuser: "postgres", roles: { superuser: "postgres" } },
  source: { roles: ["postgres"], hbaFile: "/srv/data/pg_hba.conf", dataDirectory: "/srv/data" },
  balancers: { hosts: ["lb1"], statsPort: 7000 },
} as unknown as PromotionInputs;

interface Servers {
  /** Whether an earlier run has come as far as the promotion. */
  readonly promoted?: boolean;
  /** Transactions that are prepared on the old server. */
  readonly prepared?: number;
  /** Whether the last WAL of the old server arrives. */
  readonly arrives?: boolean;
}

/** What is changed, on which host, in this order. */
async function changed({ promoted = false, prepared = 0, arrives = true }: Servers) {
  const done: string[] = [];
  vi.mocked(isPromoted).mockResolvedValue(promoted);
  vi.mocked(untilFollowing).mockResolvedValue("db1");
  const members = [{ name: "db1", role: "leader", state: "running" }];
  const context = {
    ...{ info: () => undefined, warn: () => undefined, progress: () => undefined },
    host: (name: string) => ({
      async observe({ script }: Probe<unknown>): Promise<unknown> {
        if (script.includes("/cluster")) return { members, paused: false };
        if (script.includes("pg_prepared_xacts")) return prepared;
        if (script.includes("/dev/tcp")) return { primary: ["db1"] };
        // All WAL is there, and it takes writes.
        return arrives;
      },
      async change(what: string): Promise<string> {
        done.push(`${name} ${what}`);
        return "0/5000060\n";
      },
    }),
  } as unknown as Context;
  const going = promotion.apply(context, "urn", INPUTS, undefined);
  return { going, done };
}

test("writes are stopped on the old server before the cluster is promoted, and its WAL is released last", async () => {
  const { going, done } = await changed({});
  await going;
  expect(done).toEqual([
    ...["old stopping writes", "db1 promoting", "db1 opening the databases"],
    ...["db1 creating the roles that Patroni connects with", "old releasing the WAL"],
  ]);
});

test("a promotion that an earlier run has begun is not begun again", async () => {
  const { going, done } = await changed({ promoted: true });
  await going;
  expect(done).not.toContain("old stopping writes");
  expect(done).not.toContain("db1 promoting");
});

test("a prepared transaction keeps it from beginning", async () => {
  const { going, done } = await changed({ prepared: 1 });
  await expect(going).rejects.toThrow("old: expected no prepared transaction, found 1.");
  expect(done).toEqual([]);
});

test("where the last WAL does not arrive the old server takes writes again, and nothing is promoted", async () => {
  const { going, done } = await changed({ arrives: false });
  await expect(going).rejects.toThrow(/db1: expected all WAL up to 0\/5000060 within 20 s/);
  expect(done).toEqual(["old stopping writes", "old allowing writes again"]);
});
