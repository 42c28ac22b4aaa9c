import { expect, test } from "vitest";
import type { RunningBackup } from "../../src/facts/activity";
import type { ClusterView } from "../../src/facts/patroni";
import type { Standing } from "../../src/facts/standing-names";
import type { Context } from "../../src/provider/context";
import { foreseeCluster } from "../../src/provider/foresee-cluster";
import type { PatroniClusterInputs } from "../../src/resources/inputs/patroni-cluster";

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
  {
    paused = false,
    copies = [] as RunningBackup[],
    wanted = {} as Partial<PatroniClusterInputs>,
    altered = {} as { readonly [member: string]: { readonly [setting: string]: string } },
    refusal = [] as string[],
    standing = { roles: [], databases: [] } as Standing,
  } = {},
): Promise<string[]> {
  const of = (name: string, role: string, state: string) => ({
    ...{ name, role, state, pendingRestart: false },
  });
  const view: ClusterView = {
    paused,
    members: [
      of("db1", "leader", "running"),
      { ...of("db2", "sync_standby", "streaming"), lagBytes: 0 },
    ],
  };
  const observing =
    (host: string) =>
    async ({ script }: { script: string }) => {
      if (script.includes("'synchronousStandbyNames'")) {
        const set = altered[host];
        return set && { altered: set, pending: Object.keys(set), configured: {}, version: 17 };
      }
      if (script.includes("/etc/patroni/pgherd/10-member.yml"))
        return { dataDirectory: "/data", binDirectory: "/usr/lib/postgresql/17/bin" };
      if (script.includes("/tmp/pgherd-trial")) return refusal;
      if (script.includes("MemTotal")) return { memory: 2 ** 33 };
      if (script.includes("/cluster")) return view;
      if (script.includes("'validUntil'")) return standing;
      if (script.includes("pg_stat_progress_basebackup")) return copies;
      const unit = { type: "integer", unit: "8kB" };
      return {
        shared_buffers: { context: "postmaster", ...unit },
        work_mem: { context: "user", ...unit },
        max_connections: { context: "postmaster", type: "integer", unit: null },
        max_wal_senders: { context: "postmaster", type: "integer", unit: null },
      };
    };
  const once = <T>(_key: string, work: () => T) => work();
  const host = (name: string) => ({ observe: observing(name) });
  const context = { host, once } as unknown as Context;
  return foreseeCluster(context, { ...INPUTS, ...wanted }, { ...INPUTS, ...known });
}

test("a preview names the schemas that are made or change hands", async () => {
  const app = { name: "app", owner: "app", extensions: [] };
  const sales = { name: "sales", owner: "app", usage: ["reader"], create: [] };
  const wanted = { databases: [{ ...app, schemas: [sales] }] };
  expect(await foresee({ databases: [app] }, { wanted })).toContain(
    "schema sales of database app: created unless it is there, owned by app; reader may use it. By SQL, no service is touched",
  );
  const other = { databases: [{ ...app, schemas: [{ ...sales, owner: "reader" }] }] };
  expect(await foresee(other, { wanted })).toContain(
    "schema sales of database app: its owner is app, not reader. By SQL, no service is touched",
  );
});

const before = { configuration: parameters({ shared_buffers: "128MB", work_mem: "4MB" }) };

test("a preview says who restarts in which order", async () => {
  expect(await foresee(before)).toEqual([
    "shared_buffers: 128MB → 144MB: needs a restart of PostgreSQL. First db2, one at a time, drained before; " +
      "then a switchover from db1 to a replica that may lead (now db2) (no writes for some seconds), which restarts it too.",
  ]);
});

test("a preview says who restarts a second time where a setting must become lower on the leader first", async () => {
  const was = { max_connections: "200", max_wal_senders: "10", shared_buffers: "128MB" };
  const becoming = async (values: object) => {
    const wanted = { configuration: parameters({ ...was, ...values }) };
    return (await foresee({ configuration: parameters(was) }, { wanted }))[0];
  };
  const must = "A lower max_connections must reach the leader first";
  const inPlace = "db1 restarts in place (no writes for that time)";
  expect(await becoming({ max_connections: "100" })).toContain(
    `${must}: ${inPlace}, then db2, one at a time, drained before.`,
  );
  expect(await becoming({ max_connections: "100", shared_buffers: "144MB" })).toContain(
    `${must}: one replica tries the other settings; then ${inPlace}; then db2, one at a time, drained before, ` +
      "the one that tried a second time.",
  );
  expect(await becoming({ max_connections: "100", max_wal_senders: "12" })).toContain(
    `${must}, a higher max_wal_senders the replicas: db2 restart, one at a time, drained before; then ${inPlace}; ` +
      "then db2 a second time.",
  );
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

test("a preview names what ALTER SYSTEM has left for the restart, and tries it", async () => {
  const altered = {
    db1: { shared_buffers: "300MB", max_locks_per_transaction: "128", fsync: "off" },
    db2: { shared_preload_libraries: "nosuch" },
  };
  const refusal = ['could not access file "nosuch": No such file or directory'];
  const both = await foresee(before, { altered, refusal: [] });
  // What the stack names, or what breaks a promise, is taken back before.
  expect(both.slice(1)).toEqual([
    'db1: max_locks_per_transaction becomes "128" with that restart, by ALTER SYSTEM there (postgresql.auto.conf)',
    'db2: shared_preload_libraries becomes "nosuch" with that restart, by ALTER SYSTEM there (postgresql.auto.conf)',
  ]);
  // Only who restarts.
  const one = await foresee({ pendingRestart: ["db2"] }, { altered, refusal });
  expect(one.slice(1)).toEqual([
    both[2],
    expect.stringContaining(
      'it does not: could not access file "nosuch": No such file or directory. It goes on as it is, and is not restarted.',
    ),
  ]);
  expect(await foresee({}, { altered })).toEqual([]);
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

test("a preview says what interrupts somebody before what does not", async () => {
  const old = { name: "old", createdb: false, createrole: false, connectionLimit: -1 };
  const known = {
    configuration: parameters({ shared_buffers: "128MB", work_mem: "1MB" }),
    roles: [old],
  };
  const said = await foresee(known, { wanted: { roles: [{ ...old, name: "app" }] } });
  expect(said.map((one) => one.split(":")[0])).toEqual([
    "shared_buffers",
    "user old leaves the stack",
    "work_mem",
    "roles app",
  ]);
});

test("a preview tells what is made in the database from what is changed there", async () => {
  const app = { name: "app", createdb: false, createrole: false, connectionLimit: -1 };
  const report = { ...app, name: "report" };
  const wanted = { roles: [{ ...app, connectionLimit: 5 }, report] };
  expect(await foresee({ roles: [app] }, { wanted })).toEqual([
    "roles report: created by SQL, no service is touched",
    "roles app: changed by SQL, no service is touched",
  ]);
});

test("a preview says of what is there already that it is not made, and what becomes of it", async () => {
  const app = { name: "app", createdb: false, createrole: false, connectionLimit: -1 };
  const report = { ...app, name: "report" };
  const shop = { name: "shop", owner: "app", extensions: [] };
  const standing = {
    roles: [
      {
        ...{ ...report, login: true, superuser: false, bypassRls: false, createdb: true },
        ...{ replication: false, memberOf: [], validUntil: null },
      },
    ],
    databases: [{ name: "shop", owner: "boss" }],
  };
  const wanted = { roles: [app, report], databases: [shop, { ...shop, name: "other" }] };
  expect(await foresee({ roles: [] }, { wanted, standing })).toEqual([
    "roles app: created by SQL, no service is touched",
    "databases other: created by SQL, no service is touched",
    "user report is there already, and becomes the stack's: it gets the stack's password, and who uses another one is let in " +
      "no more; it LOSES CREATEDB. By SQL, no service is touched",
    "database shop is there already: it stays with all its data, its owner changes from boss to app. By SQL, no service is touched",
  ]);
});

test("a role of pgherd's own that nothing needs any more is nothing to tell of", async () => {
  const barman = { name: "barman", createdb: false, createrole: false, connectionLimit: -1 };
  expect(await foresee({ roles: [{ ...barman, replication: true }] })).toEqual([]);
});

test("a preview says what becomes of slots", async () => {
  const slots = (value: object) => ({ configuration: { ...INPUTS.configuration, slots: value } });
  const barman = { barman: { type: "physical" } };
  expect(await foresee(slots({}), { wanted: slots(barman) })).toEqual([
    "slot barman (physical): kept on every member from then on",
  ]);
  expect(await foresee(slots(barman), { wanted: slots({}) })).toEqual([
    "slot barman (physical) leaves the stack: Patroni drops it, unless a member streams from it. " +
      "Whoever else reads it cannot go on from where he was",
  ]);
});
