import { expect, test } from "vitest";
import { parseSettings } from "../../../src/config/parse";
import { migratedParameters, planConfiguration } from "../../../src/plan/dynamic-configuration";
import { migratedSlots } from "../../../src/migration/carried/settings";
import { neededAtOnce } from "../../../src/migration/plan/needed";
import type { Source } from "../../../src/migration/inputs/source";
import { SOURCE } from "../../source";

const settings = (cluster: object = {}) =>
  parseSettings({
    hosts: {
      a1: { address: "10.0.0.1" },
      a2: { address: "10.0.0.2" },
      a3: { address: "10.0.0.3" },
    },
    cluster: {
      name: "shop",
      members: ["a1", "a2", "a3"],
      dcs: { kind: "etcd", members: ["a1", "a2", "a3"] },
      firewall: false,
      migration: { from: "a1" },
      ...cluster,
    },
  });

const running = (values: object): Source => ({
  ...SOURCE,
  running: { ...SOURCE.running, ...values },
});

test("a migrated server keeps its settings, but for those that tell where things are", () => {
  const kept = migratedParameters(settings(), SOURCE);
  expect(kept).toMatchObject({ shared_buffers: "128MB", work_mem: "6MB", max_connections: "120" });
  for (const name of ["data_directory", "hba_file", "cluster_name", "listen_addresses", "port"])
    expect(kept).not.toHaveProperty(name);
});

test("the user's own settings win over those of the server", () => {
  const wanted = settings({ postgresql: { parameters: { work_mem: "32MB", jit: false } } });
  expect(migratedParameters(wanted, SOURCE)).toMatchObject({ work_mem: "32MB", jit: "off" });
});

test("commits of a migrated server wait for a replica where the stack promises it", () => {
  const of = (mode: string, value?: string, parameters: object = {}) =>
    migratedParameters(settings({ replication: { mode }, postgresql: { parameters } }), {
      ...SOURCE,
      configured: { ...SOURCE.configured, ...(value && { synchronous_commit: value }) },
    }).synchronous_commit;
  for (const value of ["local", "OFF", "no"]) expect(of("synchronous", value)).toBe("on");
  expect(of("quorum", "off")).toBe("on");
  expect(of("asynchronous", "local")).toBe("local");
  expect(of("synchronous", "remote_apply")).toBe("remote_apply");
  expect(of("synchronous", "local", { synchronous_commit: "remote_write" })).toBe("remote_write");
  expect(of("synchronous")).toBeUndefined();
});

test("a server that archives goes on doing so, wherever the cluster's own backups come from", () => {
  const archive = { archive_mode: "on", archive_command: "barman-wal-archive old shop %p" };
  const source = { ...SOURCE, configured: { ...SOURCE.configured, ...archive } };
  expect(migratedParameters(settings(), source, true)).toMatchObject(archive);
});

test("a server that does not archive is given what Barman checks from the first step on", () => {
  const backup = { host: "a4" };
  const hosts = Object.fromEntries(
    [1, 2, 3, 4].map((n) => [`a${n}`, { address: `10.0.0.${n}` }] as const),
  );
  const migration = { from: "a1", until: "adopted" };
  const whole = parseSettings({ hosts, cluster: { ...settings().cluster, backup, migration } });
  const facts = { smallest: { memory: 2 ** 30, cores: 1, disk: 2 ** 34 }, versions: {} };
  const off = { ...SOURCE, configured: { ...SOURCE.configured, archive_mode: "off" } };
  expect(planConfiguration(whole, facts, off)).toMatchObject({
    postgresql: { parameters: { archive_mode: "on", archive_command: "/bin/true" } },
  });
  expect(migratedParameters(settings(), off)).toMatchObject({ archive_mode: "off" });
});

test("checksums spare the restart that pg_rewind would need", () => {
  expect(migratedParameters(settings(), SOURCE).wal_log_hints).toBe("on");
  const checked = { ...SOURCE, checksums: true };
  expect(migratedParameters(settings(), checked).wal_log_hints).toBe("off");
});

test("a server that replicas can follow as it is needs no restart at once", () => {
  expect(neededAtOnce(settings(), SOURCE)).toEqual({});
});

test.each([
  [{ listen_addresses: "localhost" }, { listen_addresses: "*" }],
  [{ listen_addresses: "127.0.0.1, ::1" }, { listen_addresses: "*" }],
  [{ wal_level: "minimal" }, { wal_level: "replica" }],
  [{ max_wal_senders: "0" }, { max_wal_senders: "8" }],
  [{ max_replication_slots: "2" }, { max_replication_slots: "8" }],
])("a server with %j needs %j before any replica can follow", (found, needed) => {
  expect(neededAtOnce(settings(), running(found))).toEqual(needed);
});

test("a pg_hba.conf that stands elsewhere is moved beside postgresql.conf, which takes a restart", () => {
  expect(neededAtOnce(settings(), { ...SOURCE, hbaFile: "/srv/hba.conf" })).toEqual({
    hba_file: "/etc/postgresql/17/main/pg_hba.conf",
  });
});

test("slots stay through every change of the leader", () => {
  expect(migratedSlots(SOURCE)).toEqual({
    archive: { type: "physical" },
    feed: { type: "logical", database: "shop", plugin: "pgoutput" },
  });
});

test("the directory of statistics that Debian's own start makes is no member's", () => {
  const path = "/var/run/postgresql/14-main.pg_stat_tmp";
  const source = { ...SOURCE, configured: { ...SOURCE.configured, stats_temp_directory: path } };
  expect(migratedParameters(settings(), source)).not.toHaveProperty("stats_temp_directory");
});
