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
      "belongs to a session",
      { Role: "app" },
      "Role: expected a setting that a file may have, got one of a single session. " +
        "Set it for a user: `ALTER ROLE name SET role = …`.",
    ],
    [
      "belongs to a transaction",
      { transaction_read_only: true },
      "transaction_read_only: expected a setting that a file may have, got one of a single session. Set default_transaction_read_only.",
    ],
    [
      "Patroni could not read dates with",
      { DateStyle: "German" },
      'DateStyle: expected ISO, with MDY, DMY or YMD, got "German": Patroni, which reads dates too, would no longer answer, ' +
        "and no load balancer would lead to a member. " +
        "Remove it, or set it for a database or a user alone (ALTER DATABASE … SET datestyle = …).",
    ],
    [
      "replicas could answer no question with",
      { default_transaction_isolation: "serializable" },
      'default_transaction_isolation: expected read committed, repeatable read or read uncommitted, got "serializable": ' +
        "a replica refuses each question of such a session (PostgreSQL, Hot Standby), Patroni's too. " +
        "Remove it, or set it for a database or a user alone (ALTER DATABASE … SET default_transaction_isolation = …).",
    ],
    [
      "only a new database has",
      { data_checksums: "on" },
      "data_checksums: expected a setting that can be set, got one that can not. " +
        "It was decided when the database was made, by pgherd:cluster.postgresql.dataChecksums. Remove it.",
    ],
    [
      "PostgreSQL only tells",
      { is_superuser: "on" },
      "is_superuser: expected a setting that can be set, got one that can not. PostgreSQL tells it, and nobody sets it. Remove it.",
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
      "would fetch WAL from elsewhere",
      { restore_command: "cp /wal/%f %p" },
      `restore_command: ${USERS} "cp /wal/%f %p". Members fetch WAL from pgherd:cluster.backup; remove it.`,
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

describe("a value that PostgreSQL would refuse is refused before, whichever setting it is for:", () => {
  const SIZES = "or one with a unit (B, kB, MB, GB, TB)";
  const TIMES = "or one with a unit (us, ms, s, min, h, d)";
  test.each<[string, string | number | boolean, string]>([
    ["shared_buffers", "144 Megabytes", `expected a whole number, ${SIZES}, got "144 Megabytes".`],
    ["work_mem", "4mb", `expected a whole number, ${SIZES}, got "4mb".`],
    ["max_connections", "lots", 'expected a whole number, got "lots".'],
    ["max_connections", "5MB", 'expected a whole number, got "5MB".'],
    ["max_connections", true, "expected a whole number, got true."],
    ["max_connections", 300000, "expected 262143 or less, got 300000."],
    ["log_min_duration_statement", "soon", `expected a whole number, ${TIMES}, got "soon".`],
    ["log_min_duration_statement", "5 minutes", `expected a whole number, ${TIMES}`],
    ["work_mem", "1kB", 'expected 64 (times kB) or more, got "1kB".'],
    ["Shared_Buffers", -1, "expected 16 (times 8kB) or more, got -1."],
    ["autovacuum_vacuum_scale_factor", "1,5", 'expected a number, got "1,5".'],
    ["checkpoint_completion_target", 1.5, "expected 1 or less, got 1.5."],
    ["track_io_timing", "sometimes", 'expected on or off, got "sometimes".'],
    ["track_commit_timestamp", "o", 'expected on or off, got "o".'],
    ["log_statement", "most", 'expected none, ddl, mod or all, got "most".'],
    ["huge_pages", "maybe", 'expected on, off or try, got "maybe".'],
    ["huge_pages", "tr", 'expected on, off or try, got "tr".'],
    ["wal_compression", "zip", "expected"],
  ])("%s: %s", (name, value, expected) => {
    const [problem, ...more] = problems({ [name]: value });
    expect(problem).toContain(`${name}: ${expected}`);
    expect(more).toEqual([]);
  });

  test("one that fits passes, in all its forms", () => {
    expect(
      problems({
        shared_buffers: "1.5 GB",
        work_mem: 65536,
        max_connections: "0x64",
        log_min_duration_statement: "5min",
        vacuum_cost_delay: "0.5",
        checkpoint_completion_target: "9e-1",
        track_io_timing: "y",
        huge_pages: "TRY",
        archive_mode: true,
        log_statement: "DDL",
        "app.anything": "lots",
      }),
    ).toEqual([]);
  });

  test("a setting that is another thing by version is judged by the version", () => {
    expect(problems({ log_connections: "receipt" }, {}, { version: 18 })).toEqual([]);
    expect(problems({ log_connections: "receipt" })[0]).toContain("expected on or off");
  });
});

describe("what Patroni would change in silence is refused by name:", () => {
  test.each<[string, string | number, string]>([
    ["max_connections", 20, "25"],
    ["max_wal_senders", 2, "3"],
    ["max_replication_slots", 3, "4"],
    ["max_worker_processes", 1, "2"],
    ["max_locks_per_transaction", 10, "32"],
    ["wal_keep_size", 0, "16MB"],
    ["wal_keep_size", "8MB", "16MB"],
  ])("%s: %s", (name, value, least) => {
    expect(problems({ [name]: value })).toEqual([
      `${name}: expected ${least} or more, the least that Patroni takes, got ${JSON.stringify(value)}. ` +
        "It would keep its own default in silence. Raise it, or remove it.",
    ]);
  });
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

test("settings with which there could be no backups or replicas are refused with the reason", () => {
  const backup = { backup: { host: "a3" }, members: ["a1", "a2"] };
  const hosts = { ...backup, dcs: { kind: "etcd", members: ["a1"] } };
  for (const value of ["off", false, "no"]) {
    expect(problems({ Archive_Mode: value }, hosts).join()).toContain(
      `Archive_Mode: expected on, got ${JSON.stringify(value)}: Barman takes no backup of a server that does not archive`,
    );
  }
  expect(problems({ archive_mode: "always" }, hosts).join()).not.toContain("archive_mode");
  expect(problems({ archive_mode: "off" })).toEqual([]);
  const slots = Object.fromEntries(["a", "b", "c"].map((name) => [name, { type: "physical" }]));
  expect(problems({ max_replication_slots: 4, max_wal_senders: 6 }, {}, { slots })).toEqual([
    "max_replication_slots: expected 5 or more, for 3 members, their copies, slots and backups, got 4. Raise it, or remove it.",
    "max_wal_senders: expected 7 or more, for 3 members, their copies, slots and backups, got 6. Raise it, or remove it.",
  ]);
  expect(problems({ max_replication_slots: 4, max_wal_senders: 4 })).toEqual([]);
});
