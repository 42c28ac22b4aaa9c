import { describe, expect, test } from "vitest";
import { parseSettings } from "../../src/config/parse";
import { ConfigError } from "../../src/errors";

/** What is said of these settings of postgresql.conf, without the path that they all begin with. */
function problems(parameters: object, cluster: object = {}, postgresql: object = {}): string[] {
  try {
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
        postgresql: { parameters, ...postgresql },
        ...cluster,
      },
    });
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems.map((problem) =>
      problem.replace("pgherd:cluster.postgresql.parameters.", ""),
    );
  }
}

test("settings of PostgreSQL are accepted, in any case of letters, and those of extensions", () => {
  expect(
    problems({
      work_mem: "64MB",
      DateStyle: "ISO, DMY",
      Max_Connections: 200,
      "pg_stat_statements.max": 5000,
      synchronous_commit: "remote_apply",
      wal_level: "logical",
    }),
  ).toEqual([]);
});

describe("a setting is refused that", () => {
  const USERS = "expected a setting that is the user's, got";
  const rows: [string, object, ...string[]][] = [
    [
      "is misspelt",
      { work_men: "64MB" },
      "work_men: expected a setting of PostgreSQL, got an unknown one. Did you mean work_mem?",
    ],
    [
      "nobody knows",
      { make_it_fast: "on" },
      "make_it_fast: expected a setting of PostgreSQL, got an unknown one. Mend its name or remove it.",
    ],
    [
      "came later",
      { io_method: "worker" },
      "io_method: expected a setting of PostgreSQL 17, got one that came with 18. Remove it.",
    ],
    [
      "is gone",
      { stats_temp_directory: "/run/stats" },
      "stats_temp_directory: expected a setting of PostgreSQL 17, got one that ended with 14. Remove it.",
    ],
    [
      "stands there twice",
      { work_mem: "64MB", Work_Mem: "32MB" },
      'Work_Mem: expected each setting once, got it again: "work_mem" is the same. Remove one.',
    ],
    [
      "Patroni decides",
      { synchronous_standby_names: "*" },
      `synchronous_standby_names: ${USERS} "*". Set pgherd:cluster.replication.mode.`,
    ],
    [
      "the cluster needs",
      { hot_standby: "off" },
      `hot_standby: ${USERS} "off". Replicas always take reads; remove it.`,
    ],
    [
      "has a place of its own",
      { port: 5433 },
      `port: ${USERS} 5433. Set pgherd:cluster.postgresql.port.`,
    ],
    [
      "belongs to a restore",
      { recovery_target_time: "now" },
      `recovery_target_time: ${USERS} "now". A restore is an operation of its own; remove it.`,
    ],
    [
      "leaves replicas without WAL",
      { wal_level: "minimal" },
      'wal_level: expected replica or logical, got "minimal": replicas need the WAL. Remove it.',
    ],
    [
      "risks the data",
      { fsync: false },
      "fsync: expected on, got false: a crash would damage the data. Remove it.",
    ],
    [
      "could end its line",
      { search_path: "a\nb" },
      "search_path: expected one line, got several. Write it on one line.",
    ],
    [
      "would break the durability mode",
      { synchronous_commit: "local" },
      'synchronous_commit: expected on, remote_write or remote_apply for "synchronous", got "local": commits would be acknowledged before a replica has them. Remove it, or set it for single transactions.',
    ],
  ];
  test.each(rows)("%s", (_title, parameters, ...expected) => {
    expect(problems(parameters)).toEqual(expected);
  });
});

describe("a promise is kept however its setting is spelt:", () => {
  test.each([false, "off", "of", "f", "F", "fals", "n", "NO", "0", 0, "o", "", " off", "maybe"])(
    "fsync and full_page_writes are not %s",
    (value) => {
      const shown = JSON.stringify(value);
      expect(problems({ fsync: value, Full_Page_Writes: value })).toEqual([
        `fsync: expected on, got ${shown}: a crash would damage the data. Remove it.`,
        `Full_Page_Writes: expected on, got ${shown}: a crash would damage the data. Remove it.`,
      ]);
    },
  );

  test.each([true, "on", "ON", "t", "tru", "y", "yes", "1", 1])("but they may be %s", (value) => {
    expect(problems({ fsync: value, full_page_writes: value })).toEqual([]);
  });

  test.each([
    "zero_damaged_pages",
    "ignore_checksum_failure",
    "ignore_invalid_pages",
    "data_sync_retry",
  ])("%s, which hides damage, stays off", (name) => {
    for (const value of [true, "t", "y", "1"])
      expect(problems({ [name]: value })[0]).toContain(`${name}: expected off, got`);
    for (const value of [false, "of", "n"]) expect(problems({ [name]: value })).toEqual([]);
  });

  test.each(["minimal", "Minimal", "hot_standby", "min", " replica"])(
    "wal_level is not %s",
    (value) => {
      expect(problems({ wal_level: value })[0]).toContain("wal_level: expected replica or logical");
    },
  );

  test.each(["off", "OFF", "local", "false", "no", "0", 0, false, "of", "loc"])(
    "synchronous_commit is not %s where commits wait for a replica",
    (value) => {
      expect(problems({ synchronous_commit: value })[0]).toContain(
        'synchronous_commit: expected on, remote_write or remote_apply for "synchronous"',
      );
    },
  );
});

test("where commits wait for nobody, synchronous_commit is what PostgreSQL knows", () => {
  const mode = { replication: { mode: "asynchronous" } };
  for (const value of ["off", "Local", false, "remote_write"])
    expect(problems({ synchronous_commit: value }, mode)).toEqual([]);
  expect(problems({ synchronous_commit: "of" }, mode)).toEqual([
    'synchronous_commit: expected on, off, local, remote_write or remote_apply, got "of". Mend it.',
  ]);
});

test("a setting that is called as what every object has is unknown", () => {
  expect(problems({ constructor: "x" })).toEqual([
    "constructor: expected a setting of PostgreSQL, got an unknown one. Mend its name or remove it.",
  ]);
});

test("asynchronous replication may acknowledge early", () => {
  const mode = { replication: { mode: "asynchronous" } };
  expect(problems({ synchronous_commit: "off" }, mode)).toEqual([]);
});

test("a logical slot needs its level of WAL", () => {
  const slots = {
    users: [{ name: "app" }],
    databases: [{ name: "app", owner: "app" }],
    slots: { events: { type: "logical", database: "app" } },
  };
  expect(problems({ wal_level: "replica" }, {}, slots)).toEqual([
    'wal_level: expected logical, which a slot of pgherd:cluster.postgresql.slots needs, got "replica". Remove it.',
  ]);
});
