import { expect, test } from "vitest";
import { parseSettings } from "../../src/config/parse";
import { dynamicConfiguration } from "../../src/plan/dynamic-configuration";
import type { HostsFacts } from "../../src/resources/inputs/preflight";

const GB = 2 ** 30;

const FACTS: HostsFacts = {
  smallest: { memory: 16 * GB, cores: 8, disk: 400 * GB },
  versions: { patroni: "4.0.7" },
};

const BOOKWORM: HostsFacts = { ...FACTS, versions: { patroni: "3.0.2" } };

interface Document {
  readonly [key: string]: unknown;
  readonly postgresql: { readonly parameters: { readonly [name: string]: unknown } };
}

function document(cluster: object = {}, facts = FACTS): Document {
  const settings = parseSettings({
    hosts: {
      "a-1": { address: "10.0.0.1" },
      a2: { address: "10.0.0.2" },
      a3: { address: "10.0.0.3" },
    },
    cluster: {
      name: "shop",
      members: ["a-1", "a2", "a3"],
      dcs: { kind: "etcd", members: ["a-1", "a2", "a3"] },
      firewall: false,
      ...cluster,
    },
  });
  return dynamicConfiguration(settings, facts, settings.cluster.backup !== undefined) as Document;
}

test.each([
  ["quorum", "quorum", false],
  ["strict", true, true],
  ["synchronous", true, false],
  ["asynchronous", false, false],
])("replication %s sets Patroni's modes", (mode, synchronous, strict) => {
  expect(document({ replication: { mode } })).toMatchObject({
    synchronous_mode: synchronous,
    synchronous_mode_strict: strict,
    synchronous_node_count: 1,
  });
});

test.each([
  ["default", 30, 10, 10],
  ["fast", 20, 3, 5],
  ["aggressive", 5, 1, 2],
])("the profile %s sets Patroni's timings", (profile, ttl, loop, retry) => {
  expect(document({ failover: { profile } })).toMatchObject({
    ttl,
    loop_wait: loop,
    retry_timeout: retry,
  });
});

test("failsafe mode is on only where it can be relied on, unless the user says otherwise", () => {
  expect(document().failsafe_mode).toBe(true);
  expect(document({}, BOOKWORM).failsafe_mode).toBe(false);
  expect(
    document({ failover: { profile: "default", failsafe: true } }, BOOKWORM).failsafe_mode,
  ).toBe(true);
  expect(document({ failover: { profile: "default", failsafe: false } }).failsafe_mode).toBe(false);
});

test("an old Patroni is told to keep the slots of members that are away; a new one does it by itself", () => {
  expect(document().slots).toBeUndefined();
  expect(document({}, BOOKWORM).slots).toEqual({
    a_1: { type: "physical" },
    a2: { type: "physical" },
    a3: { type: "physical" },
  });
});

test("the user's slots stay through every change of the leader, and logical ones have the WAL they need", () => {
  const postgresql = {
    users: [{ name: "app" }],
    databases: [{ name: "app", owner: "app" }],
    slots: { events: { type: "logical", database: "app" }, far_away: { type: "physical" } },
  };
  const found = document({ postgresql });
  expect(found.slots).toEqual({
    events: { type: "logical", database: "app", plugin: "pgoutput" },
    far_away: { type: "physical" },
  });
  expect(found.postgresql.parameters.wal_level).toBe("logical");
  expect(document().postgresql.parameters.wal_level).toBe("replica");
});

test("settings fit the smallest member", () => {
  expect(document().postgresql.parameters).toMatchObject({
    shared_buffers: "4096MB",
    effective_cache_size: "12288MB",
    work_mem: "40MB",
    maintenance_work_mem: "1024MB",
    max_worker_processes: 24,
    max_parallel_workers: 4,
    min_wal_size: "20480MB",
    max_wal_size: "81920MB",
    max_slot_wal_keep_size: "122880MB",
  });
});

test("what the user says a member has counts instead", () => {
  const resources = { memory: "2GB", cores: 2, disk: "20GB" };
  expect(document({ postgresql: { resources } }).postgresql.parameters).toMatchObject({
    shared_buffers: "512MB",
    effective_cache_size: "1536MB",
    max_parallel_workers: 2,
    max_wal_size: "4096MB",
  });
});

test("a small host gets no setting that it cannot bear", () => {
  const resources = { memory: "256MB", cores: 1, disk: "2GB" };
  expect(document({ postgresql: { resources } }).postgresql.parameters).toMatchObject({
    shared_buffers: "64MB",
    work_mem: "4MB",
    maintenance_work_mem: "32MB",
    min_wal_size: "160MB",
  });
});

test("the user's settings win", () => {
  const parameters = { shared_buffers: "1GB", max_connections: 400 };
  expect(document({ postgresql: { parameters } }).postgresql.parameters).toMatchObject({
    shared_buffers: "1GB",
    max_connections: 400,
    // Memory is shared by all connections.
    work_mem: "10MB",
  });
});

test("many members have a slot and a sender each", () => {
  const streams = (slots: object) => document({ postgresql: { slots } }).postgresql.parameters;
  expect(streams({}).max_wal_senders).toBe(10);
  const many = Object.fromEntries(
    [1, 2, 3, 4, 5, 6].map((i) => [`far_${i}`, { type: "physical" }]),
  );
  expect(streams(many)).toMatchObject({ max_wal_senders: 14, max_replication_slots: 14 });
});

test("a new cluster archives from the beginning, harmlessly, so that backups need no restart later", () => {
  const archiving = { archive_mode: "on", archive_command: "/bin/true" };
  expect(document({}, { ...FACTS, archives: true }).postgresql.parameters).toMatchObject(archiving);
});

test("one that was made without goes on without until it has backups: it would have to restart", () => {
  for (const facts of [FACTS, { ...FACTS, archives: false }]) {
    expect(document({}, facts).postgresql.parameters).not.toHaveProperty("archive_mode");
  }
});

test("a line of the log tells user, database, program and where a session comes from", () => {
  const prefix = (postgresql: object) =>
    document({ postgresql }).postgresql.parameters.log_line_prefix;
  expect(prefix({})).toBe("%m [%p] %quser=%u,db=%d,app=%a,client=%h ");
  expect(prefix({ parameters: { log_line_prefix: "%t " } })).toBe("%t ");
});
