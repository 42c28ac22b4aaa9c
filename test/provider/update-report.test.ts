import { expect, test } from "vitest";
import { Context } from "../../src/provider/context";
import { patroniCluster } from "../../src/provider/patroni-cluster";
import { updateReport } from "../../src/provider/update-report";
import type {
  PatroniClusterInputs,
  UpdateReportInputs,
} from "../../src/resources/inputs/patroni-cluster";

const MEMBERS = { db1: "10.89.0.11:8008", db2: "10.89.0.12:8008" };

const REPORT: UpdateReportInputs = {
  cluster: "demo",
  members: MEMBERS,
  port: 5432,
  configuration: { postgresql: { parameters: { shared_buffers: "144MB" } } },
  pendingRestart: [],
  neverLead: [],
  leaderStays: null,
  rolling: { maximumLag: 1, longestTransaction: 1, drain: 1, wait: 120 },
  roles: [],
  databases: [],
};
const CLUSTER = { ...REPORT, passwords: {}, filesHash: "1" } as unknown as PatroniClusterInputs;

/** A run on a cluster of two members; what was asked of them. */
function run() {
  const asked: string[] = [];
  const view = {
    paused: false,
    members: [
      { name: "db1", role: "leader", state: "running", pendingRestart: false },
      { name: "db2", role: "replica", state: "streaming", pendingRestart: false },
    ],
  };
  class Answering {
    async observe({ script }: { script: string }) {
      asked.push(script);
      if (script.includes("/cluster")) return view;
      if (script.includes("pg_stat_progress_basebackup")) return [];
      if (script.includes("pg_hba_file_rules")) return { altered: {}, configured: {} };
      return { shared_buffers: { context: "postmaster", type: "integer", unit: "8kB" } };
    }
  }
  const silent = { progress() {}, info: async () => {}, warning() {} };
  const context = new Context({ hosts: {}, ssh: {} } as never, silent, [], Answering as never);
  return { context, asked };
}

test("what the report and the cluster have to say is the same, and the hosts are asked for it once", async () => {
  const { context, asked } = run();
  const before = { postgresql: { parameters: { shared_buffers: "128MB" } } };
  const first = await updateReport.foresee?.(context, REPORT, { ...REPORT, configuration: before });
  expect(first).toEqual([expect.stringMatching(/^shared_buffers: 128MB → 144MB: needs a restart/)]);
  const questions = asked.length;
  const known = { ...CLUSTER, filesHash: "0", configuration: before, systemIdentifier: "7" };
  expect(await patroniCluster.foresee?.(context, CLUSTER, known)).toEqual(first);
  expect(asked).toHaveLength(questions);
});
