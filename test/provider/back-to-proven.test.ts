import { expect, test } from "vitest";
import { HealthError } from "../../src/errors";
import type { Probe } from "../../src/host/host";
import { runningOrBack, type Settled } from "../../src/provider/back-to-proven";
import type { Context } from "../../src/provider/context";
import type { PatroniClusterInputs } from "../../src/resources/inputs/patroni-cluster";
import { sameValue, type Values } from "../../src/rpc/values";

/** A key that is set, and to what. */
const PUT = /"requestPut":\{"key":"([^"]*)","value":"([^"]*)"/g;
const PROVEN = Buffer.from("/service/demo/pgherd-proven-config").toString("base64");

const configuration = (parameters: object) => ({ ttl: 30, postgresql: { parameters } });
const OLD = configuration({ huge_pages: "try", work_mem: "4MB" });
const NEW = configuration({ huge_pages: "on", work_mem: "4MB" });

const INPUTS = {
  cluster: "demo",
  members: { db1: "10.89.0.11:8008", db2: "10.89.0.12:8008" },
  port: 5432,
  configuration: NEW,
  dcs: { host: "db1", endpoints: ["http://10.89.0.11:2379"] },
} as unknown as PatroniClusterInputs;

interface Cluster {
  held: object;
  proven?: object;
  /** By member, Patroni's word for its PostgreSQL. */
  states: { [member: string]: string };
  /** What a server does not load, by its name. */
  refused?: string;
  /** Why servers let nobody in with the new settings. */
  shut?: string;
  /** Looks at settings until Patroni has written the former ones. */
  late?: number;
  /** Settings whose mark stays. */
  marks?: string[];
  /** What was changed on members, beside the DCS. */
  done?: string[];
}

const JOURNAL = `2026-11-29 14:00:00 UTC [811] LOG:  starting PostgreSQL 17.6
2026-11-29 14:00:00.124 UTC [811] FATAL:  could not map anonymous shared memory: Cannot allocate memory
2026-11-29 14:00:00.124 UTC [811] HINT:  This error usually means that PostgreSQL's request exceeded huge pages.
2026-11-29 14:00:00.126 UTC [811] LOG:  database system is shut down
2026-11-29 14:00:01 INFO: postmaster pid=811
/var/run/postgresql:5432 - no response
`;

function contextOf(cluster: Cluster): Context {
  let looks = 1;
  const answer = (host: string, probe: Probe<unknown>): unknown => {
    const { script } = probe;
    if (script.includes("/v3/kv/range") && !script.includes("/v3/kv/txn")) {
      const value = script.includes(PROVEN) ? cluster.proven : cluster.held;
      return value && { value: JSON.stringify(value), revision: "1" };
    }
    if (script.includes("journalctl")) return probe.parse(`{}\n\n${JOURNAL}`);
    if (script.includes("/cluster"))
      return {
        members: Object.entries(cluster.states).map(([name, state]) => ({
          ...{ name, role: "replica", state },
        })),
      };
    if (script.includes("dbname=postgres options"))
      return sameValue(cluster.held as Values, OLD) ? undefined : cluster.shut;
    if (script.includes("/patroni")) return { state: cluster.states[host], dcsLastSeen: looks++ };
    const error = { file: "postgresql.conf", line: 12, name: cluster.refused, error: "no" };
    const { late = 0, marks = [] } = cluster;
    if (script.includes("'kinds'")) cluster.late = late - 1;
    const value = late > 0 ? "on" : "try";
    return {
      files: { huge_pages: { value, file: "postgresql.conf" } },
      ...{ started: {}, pending: marks, unchanged: marks, kinds: {} },
      errors: cluster.refused && cluster.held === NEW ? [error] : [],
    };
  };
  return {
    progress() {},
    info() {},
    host: (name: string) => ({
      observe: async (probe: Probe<unknown>) => answer(name, probe),
      async change(what: string, script: string) {
        if (/marks|compare|ALTER/.test(what)) (cluster.done ??= []).push(`${name}: ${what}`);
        if (what.includes("marks")) cluster.marks = [];
        if (what.includes("write its files")) cluster.late = 0;
        if (script.includes("requestDeleteRange")) cluster.proven = undefined;
        for (const [, key = "", text = ""] of script.matchAll(PUT)) {
          const value = JSON.parse(Buffer.from(text, "base64").toString()) as object;
          cluster[key === PROVEN ? "proven" : "held"] = value;
        }
        return "";
      },
    }),
  } as unknown as Context;
}

/** Brings members to run with these inputs; what it was called with, and how it ends the first time. */
function bringing(cluster: Cluster, first: () => void, then: Settled = "settled") {
  const calls: PatroniClusterInputs["configuration"][] = [];
  const bring = async (inputs: PatroniClusterInputs): Promise<Settled> => {
    calls.push(inputs.configuration);
    if (calls.length === 1) first();
    cluster.states = { db1: "running", db2: "running" };
    return then;
  };
  return { calls, bring };
}

const run = (cluster: Cluster, bring: Parameters<typeof runningOrBack>[4]) =>
  runningOrBack(contextOf(cluster), "urn", INPUTS, undefined, bring);

test("a member that does not start with a new value ends the run by name, and all run with the former ones", async () => {
  const cluster: Cluster = {
    ...{ held: NEW, proven: OLD },
    states: { db1: "running", db2: "restart failed (restarting)" },
  };
  const { calls, bring } = bringing(cluster, () => {
    throw new HealthError("db2: restarting PostgreSQL failed");
  });
  await expect(run(cluster, bring)).rejects.toThrow(
    "db2: PostgreSQL does not start with huge_pages: try → on: " +
      "FATAL: could not map anonymous shared memory: Cannot allocate memory " +
      "This error usually means that PostgreSQL's request exceeded huge pages.\n" +
      "The settings that were there before are back, and all members run with them.",
  );
  expect(calls).toEqual([NEW, OLD]);
  expect(cluster).toMatchObject({ held: OLD, proven: undefined });
});

test("libraries with which servers run and let nobody in make room for the former settings", async () => {
  const held = configuration({ local_preload_libraries: "auto_explain" });
  const cluster: Cluster = {
    ...{ held, proven: OLD, shut: "could not access file" },
    states: { db1: "running", db2: "running" },
  };
  const { bring, calls } = bringing(cluster, () => {
    throw new HealthError("db1: changing roles and databases failed");
  });
  const inputs = { ...INPUTS, configuration: held } as PatroniClusterInputs;
  await expect(runningOrBack(contextOf(cluster), "urn", inputs, undefined, bring)).rejects.toThrow(
    "db1: PostgreSQL lets nobody in: could not access file (huge_pages: try → its default, " +
      "local_preload_libraries: its default → auto_explain, work_mem: 4MB → its default)\n",
  );
  expect(calls).toEqual([held, OLD]);
  expect(cluster).toMatchObject({ held: OLD, proven: undefined });
});

test("a refused value that a killed run has left in the DCS makes room for the former one", async () => {
  const cluster: Cluster = {
    ...{ held: NEW, proven: OLD, refused: "huge_pages" },
    states: { db1: "running", db2: "running" },
  };
  const { bring } = bringing(cluster, () => {
    throw new HealthError("db1 does not load it");
  });
  await expect(run(cluster, bring)).rejects.toThrow(
    "db1: PostgreSQL does not load postgresql.conf, line 12: huge_pages: no\n",
  );
  expect(cluster).toMatchObject({ held: OLD, proven: undefined });
});

test("what ends a run while all members serve leaves the new settings, and the next run goes on", async () => {
  const cluster: Cluster = { held: NEW, proven: OLD, states: { db1: "running", db2: "running" } };
  const { calls, bring } = bringing(cluster, () => {
    throw new HealthError("expected no transaction on db2 to be open for more than 2 s");
  });
  await expect(run(cluster, bring)).rejects.toThrow("expected no transaction");
  expect(calls).toEqual([NEW]);
  expect(cluster).toMatchObject({ held: NEW, proven: OLD });
});

test("going back waits for the former settings in all files, and leaves no mark of the others", async () => {
  const cluster: Cluster = {
    ...{ held: NEW, proven: OLD, late: 3, marks: ["huge_pages"] },
    states: { db1: "running", db2: "start failed" },
  };
  const { bring } = bringing(cluster, () => {
    throw new HealthError("db2 start failed");
  });
  const seen: (number | undefined)[] = [];
  await expect(
    run(cluster, (inputs) => {
      seen.push(cluster.late);
      return bring(inputs);
    }),
  ).rejects.toThrow("all members run with them");
  // Whoever restarts then restarts for nothing that is gone already.
  expect(seen[0]).toBe(3);
  expect(seen[1]).toBeLessThanOrEqual(0);
  const all = (what: string) => ["db1", "db2"].map((name) => `${name}: ${what}`);
  expect(cluster.done?.slice(0, 2)).toEqual(all("taking back marks of settings"));
  expect(cluster.done?.slice(2, 4)).toEqual(all("having Patroni compare settings"));
  expect(cluster.done?.slice(4)).toEqual(all("taking back ALTER SYSTEM"));
});

test("Patroni before 3.3, which leaves a file with the refused value, is told to write it", async () => {
  const cluster: Cluster = {
    ...{ held: NEW, proven: OLD, late: 1_000_000 },
    states: { db1: "running", db2: "start failed" },
  };
  const { calls, bring } = bringing(cluster, () => {
    throw new HealthError("db2 start failed");
  });
  await expect(run(cluster, bring)).rejects.toThrow("all members run with them");
  expect(calls).toEqual([NEW, OLD]);
});

test("a member that is down though no setting has changed is no reason to change any", async () => {
  const cluster: Cluster = { held: NEW, states: { db1: "running", db2: "start failed" } };
  const { bring } = bringing(cluster, () => {
    throw new HealthError("db2 start failed for 40 s");
  });
  await expect(run(cluster, bring)).rejects.toThrow("db2 start failed for 40 s");
  expect(cluster.held).toBe(NEW);
});

test("what all members run with is proven, and not while a pause keeps them from their restart", async () => {
  const cluster: Cluster = { held: NEW, proven: OLD, states: {} };
  await run(cluster, bringing(cluster, () => {}, "restarts held").bring);
  expect(cluster.proven).toBe(OLD);
  await run(cluster, bringing(cluster, () => {}).bring);
  expect(cluster.proven).toBeUndefined();
});

test("where the former settings do not bring a member back either, both reasons are told", async () => {
  const cluster: Cluster = {
    ...{ held: NEW, proven: OLD },
    states: { db1: "running", db2: "start failed" },
  };
  const bring = async (): Promise<Settled> => {
    throw new HealthError("expected all members to stream, got: db2 start failed");
  };
  await expect(run(cluster, bring)).rejects.toThrow(
    /FATAL: could not map .*\nThe settings that were there before are back in the DCS, but not all members run with them yet: expected all/s,
  );
  expect(cluster).toMatchObject({ held: OLD, proven: OLD });
});
