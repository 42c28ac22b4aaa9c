import { expect, test } from "vitest";
import type { Probe } from "../../src/host/host";
import type { Context } from "../../src/provider/context";
import { tellUnservedSlots } from "../../src/provider/unserved-slots";
import type { PatroniClusterInputs } from "../../src/resources/inputs/patroni-cluster";

const CHIEF = { pid: 4711, user: "chief", database: "shop", seconds: 300 };

/** What is told where slots need the WAL from these segments on, and the replica db2 has it from number 22 on. */
async function told(
  slots: object,
  segments: { [slot: string]: number },
  open = [CHIEF],
): Promise<string[]> {
  const said: string[] = [];
  const context = {
    warn: (_urn: string, text: string) => said.push(text),
    host: (name: string) => ({
      observe: async ({ script }: Probe<unknown>) =>
        script.includes("pg_ls_waldir")
          ? { db1: 18, db2: 22 }[name]
          : script.includes("pg_replication_slots")
            ? segments
            : open,
    }),
  } as unknown as Context;
  const members = { db1: "10.89.0.11:8008", db2: "10.89.0.12:8008" };
  const inputs = { members, port: 5432, configuration: { slots } };
  await tellUnservedSlots(context, "urn", inputs as unknown as PatroniClusterInputs, "db1");
  return said;
}

const FEED = { feed: { type: "logical", database: "shop", plugin: "pgoutput" } };

test("a logical slot that a replica has no WAL for is told, with the transaction that keeps it there", async () => {
  const [text] = await told(FEED, { feed: 18 });
  expect(text).toContain("db2: the WAL of logical slots feed begins before");
  expect(text).toContain("chief in shop has had a transaction open for 300 s (process 4711)");
  expect((await told(FEED, { feed: 18 }, []))[0]).not.toContain("transaction open");
});

test("nothing is said of slots that every member can serve, nor asked where there are none", async () => {
  expect(await told(FEED, { feed: 22 })).toEqual([]);
  expect(await told({ standby: { type: "physical" } }, { feed: 18 })).toEqual([]);
});
