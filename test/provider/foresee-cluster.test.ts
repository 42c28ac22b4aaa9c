import { expect, test } from "vitest";
import type { RunningBackup } from "../../src/facts/activity";
import type { ClusterView } from "../../src/facts/patroni";
import type { Context } from "../../src/provider/context";
import { foreseeCluster } from "../../src/provider/foresee-cluster";
import type { PatroniClusterInputs } from "../../src/resources/inputs";

const MEMBERS = { db1: "10.89.0.11:8008", db2: "10.89.0.12:8008" };

const parameters = (values: object) => ({ postgresql: { parameters: values } });

const INPUTS = {
  cluster: "demo",
  members: MEMBERS,
  port: 5432,
  configuration: parameters({ shared_buffers: "144MB", work_mem: "4MB" }),
  pendingRestart: [],
  neverLead: [],
  leaderStays: null,
  rolling: { maximumLag: 1, longestTransaction: 1, drain: 1, wait: 120 },
  roles: [],
  databases: [],
} as unknown as PatroniClusterInputs;

/** What the preview says where the members are so. */
function foresee(
  known: Partial<PatroniClusterInputs>,
  { paused = false, copies = [] as RunningBackup[] } = {},
): Promise<string[]> {
  const of = (name: string, role: string, state: string) => ({
    ...{ name, role, state, pendingRestart: false },
  });
  const view: ClusterView = {
    paused,
    members: [of("db1", "leader", "running"), of("db2", "sync_standby", "streaming")],
  };
  const observe = async ({ script }: { script: string }) => {
    if (script.includes("/cluster")) return view;
    if (script.includes("pg_stat_progress_basebackup")) return copies;
    const unit = { type: "integer", unit: "8kB" };
    return {
      shared_buffers: { context: "postmaster", ...unit },
      work_mem: { context: "user", ...unit },
    };
  };
  const context = { host: () => ({ observe }) } as unknown as Context;
  return foreseeCluster(context, INPUTS, { ...INPUTS, ...known });
}

const before = { configuration: parameters({ shared_buffers: "128MB", work_mem: "4MB" }) };

test("a preview says who restarts in which order", async () => {
  expect(await foresee(before)).toEqual([
    "shared_buffers: 128MB → 144MB: needs a restart of PostgreSQL. First db2, one at a time, drained before; " +
      "then a switchover from db1 to a replica that may lead (now db2) (no writes for some seconds), which restarts it too.",
  ]);
});

test("a preview of a paused cluster says so first, and that nothing is restarted", async () => {
  expect(await foresee(before, { paused: true })).toEqual([
    "the cluster is paused: nothing fails over, and PostgreSQL is restarted and started nowhere",
    "shared_buffers: 128MB → 144MB: needs a restart of PostgreSQL. " +
      "Not while the cluster is paused: `pgherd resume`, then pulumi up restarts them.",
  ]);
});

test("what a member has loaded already as it is wanted is no change", async () => {
  const loaded = parameters({ shared_buffers: "144MB on db2", work_mem: "4MB" });
  expect(await foresee({ configuration: loaded, pendingRestart: ["db1", "db2"] })).toEqual([
    expect.stringMatching(/^db1, db2 already waiting: needs a restart of PostgreSQL\. First db2/),
  ]);
});

test("a preview tells of a backup that a restart would wait for", async () => {
  const copies = [{ pid: 8, by: "barman", seconds: 300 }];
  expect((await foresee(before, { copies })).at(-1)).toBe(
    "db1: barman has been copying its data for 300 s (process 8): it is not cut. up waits 120 s for its end, then stops before that restart.",
  );
});

test("a preview says what becomes of users and databases that leave the stack", async () => {
  const old = { name: "old", createdb: false, createrole: false, connectionLimit: -1 };
  const gone = { name: "gone", owner: "old", extensions: [] };
  expect(await foresee({ roles: [old], databases: [gone] })).toEqual([
    expect.stringMatching(/^user old leaves the stack: its login is closed/),
    "database gone leaves the stack: it stays with all its data. pgherd cares for it no more",
  ]);
});
