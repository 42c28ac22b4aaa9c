import { expect, test, vi } from "vitest";
import type { RunningSettings } from "../../../src/facts/settings";
import type { Probe } from "../../../src/host/host";
import type { StandbyClusterInputs } from "../../../src/migration/inputs/standby";
import { standbyCluster } from "../../../src/migration/provider/standby-cluster";
import type { Context } from "../../../src/provider/context";

// When all follow is told elsewhere.
vi.mock("../../../src/migration/provider/standby-view", () => ({
  isPromoted: async () => false,
  untilFollowing: async () => "db2",
}));

const INPUTS: StandbyClusterInputs = {
  ...{ cluster: "shop", host: "old", port: 5432, superuser: "postgres", slot: "shop" },
  members: { db1: "10.89.0.11:8008", db2: "10.89.0.12:8008", db3: "10.89.0.13:8008" },
  ...{ memberPort: 5432, dcs: { host: "db1", endpoints: [] }, systemIdentifier: "7517" },
  ...{ maximumLag: 1, promotes: false },
};

const NOTHING: RunningSettings = {
  ...{ files: {}, started: {}, pending: [], unchanged: [], inForce: {}, kinds: {} },
};

/** @param running what each member's server runs with. @returns what was changed */
async function followed(running: { readonly [member: string]: Partial<RunningSettings> }) {
  const changed: string[] = [];
  const context = {
    ...{ info: () => undefined, progress: () => undefined },
    host: (name: string) => ({
      async observe({ script, parse }: Probe<unknown>): Promise<unknown> {
        if (script.includes("/patroni")) return parse('{"database_system_identifier": "7517"}');
        return parse(JSON.stringify({ ...NOTHING, ...running[name] }));
      },
      async change(what: string): Promise<string> {
        changed.push(`${name} ${what}`);
        return "";
      },
    }),
  } as unknown as Context;
  await standbyCluster.apply(context, "urn", INPUTS, undefined);
  return changed.filter((what) => !what.endsWith("taking back ALTER SYSTEM"));
}

test("copies that started with what ALTER SYSTEM had set restart while nobody uses them, the one that others stream from last", async () => {
  const waits = { pending: ["shared_buffers"], inForce: { shared_buffers: "38400" } };
  expect(await followed({ db1: waits, db2: waits })).toEqual([
    "db1 restarting PostgreSQL",
    "db2 restarting PostgreSQL",
  ]);
});

test("copies that a restart would leave as they are go on", async () => {
  const pending = ["max_replication_slots", "shared_buffers", "cluster_name"];
  const started = { max_replication_slots: "12" };
  expect(await followed({ db1: { pending, started, unchanged: ["shared_buffers"] } })).toEqual([]);
});
