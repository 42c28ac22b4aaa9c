import { expect, test, vi } from "vitest";
import type { Context } from "../../src/provider/context";
import { rollRestarts } from "../../src/provider/rolling-restart";
import type { PatroniClusterInputs } from "../../src/resources/inputs/patroni-cluster";
import { MEMBERS, played, type Played } from "../cluster/played";

const INPUTS = {
  ...{ cluster: "demo", members: MEMBERS, port: 5432, configuration: {}, neverLead: [] },
  ...{ leaderStays: null, synchronous: { role: "sync_standby", count: 1 } },
  rolling: { maximumLag: 1_000_000, longestTransaction: 15, drain: 0, wait: 5 },
  balancers: { hosts: ["lb1"], entrances: ["replica"], statsPort: 7000 },
  dcs: { kind: "etcd", host: "db1", endpoints: ["http://10.89.0.11:2379"] },
} as unknown as PatroniClusterInputs;

/** Rolls what waits for a restart. @returns what was changed, on which host, in this order */
async function rolled(at: Played): Promise<string[]> {
  const { host } = at.cluster;
  const context = {
    host,
    ...{ info: () => undefined, warn: () => undefined },
    progress: (_urn: string, message: string) => at.cluster.progress(message),
  } as unknown as Context;
  await rollRestarts(context, "urn", INPUTS, {});
  return at.done.filter((one) => !/standing by|leading clients/.test(one));
}

/** What restarts has what it waited for; who is handed the lead has it. */
function obeys(at: Played, follow: () => void = () => (at.writesTo = at.leader)): void {
  at.changed = (host, action) => {
    if (action === "restarting PostgreSQL") at.pending[host] = false;
    if (action !== "switching over") return;
    [at.leader, at.synchronous] = ["db2", "db1"];
    follow();
  };
}

test("a roll has nothing to do where nothing waits for a restart", async () => {
  expect(await rolled(played())).toEqual([]);
});

test("a roll restarts nobody for the mark of a setting that has come and gone", async () => {
  const at = played();
  for (const name of Object.keys(MEMBERS)) at.pending[name] = true;
  at.marks.pending.push("huge_pages");
  at.marks.unchanged.push("huge_pages");
  expect(await rolled(at)).toEqual([]);
});

test("a roll restarts replicas, hands the lead over, and restarts who led", async () => {
  const at = played();
  for (const name of Object.keys(MEMBERS)) at.pending[name] = true;
  obeys(at);
  expect(await rolled(at)).toEqual([
    ...["lb1: draining db3", "db3: restarting PostgreSQL", "lb1: taking db3 back in"],
    ...["lb1: draining db2", "db2: restarting PostgreSQL", "lb1: taking db2 back in"],
    "db1: switching over",
    ...["lb1: draining db1", "db1: restarting PostgreSQL", "lb1: taking db1 back in"],
  ]);
});

test.each([
  ["the leader's data", "db1"],
  ["the data of whoever is to lead", "db2"],
])("a backup of %s that begins while a transaction ends is not cut by a roll", async (_w, of) => {
  const at = played();
  at.pending.db1 = true;
  at.transactions.db1 = [{ pid: 7, user: "app", database: "shop", seconds: 90 }];
  let looks = 0;
  at.asked = (host, script) => {
    if (host !== "db1" || !script.includes("xact_start is not null")) return;
    looks++;
    if (looks === 2) at.backups[of] = [{ pid: 8, by: "barman", seconds: 20 }];
    if (looks === 3) at.transactions.db1 = [];
    if (looks === 6) at.backups[of] = [];
  };
  obeys(at, () => {
    expect(at.backups[of]).toEqual([]);
    at.writesTo = at.leader;
  });
  // Whoever does not ask again sees nothing of it.
  setTimeout(() => (looks = 5), 1500);
  expect(await rolled(at)).toContain("db1: switching over");
  expect(at.said.join("\n")).toMatch(/nobody to be copying the data of db[12]/);
});

test("a roll goes on once HAProxy leads writes to the new leader, and not before", async () => {
  const at = played();
  at.pending.db1 = true;
  let follows = false;
  obeys(at, () => void setTimeout(() => ((follows = true), (at.writesTo = "db2")), 700));
  const { changed } = at;
  at.changed = (host, action, script) => {
    if (action === "restarting PostgreSQL") expect(follows).toBe(true);
    changed(host, action, script);
  };
  expect(await rolled(at)).toContain("db1: restarting PostgreSQL");
});

test("a backup that does not end stops a roll before anything is changed", async () => {
  const at = played();
  for (const name of Object.keys(MEMBERS)) at.pending[name] = true;
  at.backups.db3 = [{ pid: 8, by: "barman", seconds: 300 }];
  vi.useFakeTimers({ toFake: ["setTimeout", "Date"] });
  const going = expect(rolled(at)).rejects.toThrow(
    /expected nobody to be copying the data of db3, which a restart would cut within 5 seconds, got: barman/,
  );
  await vi.advanceTimersByTimeAsync(10_000);
  await going;
  vi.useRealTimers();
  expect(at.done).toEqual([]);
});

test("a member that would not start with what ALTER SYSTEM has set there is not restarted, nor handed over from", async () => {
  const at = played();
  obeys(at);
  Object.assign(at.pending, { db1: true, db2: true });
  at.altered.db1 = { shared_preload_libraries: "nosuch" };
  at.refusal = 'could not access file "nosuch"';
  await expect(rolled(at)).rejects.toThrow(
    /^db1: expected PostgreSQL to start .*ALTER SYSTEM RESET/,
  );
  expect(at.leader).toBe("db1");
  expect(at.done).toContain("db2: restarting PostgreSQL");
  expect(at.done).not.toContain("db1: restarting PostgreSQL");
});
