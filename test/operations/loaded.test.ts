import { expect, test } from "vitest";
import { loadedProbe, type LoadedFiles } from "../../src/facts/loaded";
import {
  brokenPromises,
  loadedProblems,
  loadErrors,
  sameLines,
  sessionProblems,
  blindingProblems,
} from "../../src/operations/loaded";

const FINE: LoadedFiles = {
  errors: [],
  hba: ["local all all peer"],
  isRead: true,
  altered: {},
  configured: {},
  overrides: [],
  waiting: { count: 0, seconds: 0 },
  synchronousStandbyNames: "db2",
};

test("what a server cannot load is told by member, file and line, in the server's words", () => {
  const errors = [
    { file: "pg_hba.conf", line: 20, name: null, error: "end-of-line before role specification" },
    { file: "postgresql.conf", line: 7, name: "DateStyle", error: "setting could not be applied" },
    { file: "postgresql.auto.conf", line: null, name: null, error: "could not open file" },
  ];
  expect(loadErrors("db2", { errors })).toEqual([
    "db2: PostgreSQL does not load pg_hba.conf, line 20: end-of-line before role specification",
    "db2: PostgreSQL does not load postgresql.conf, line 7: DateStyle: setting could not be applied",
    "db2: PostgreSQL does not load postgresql.auto.conf: could not open file",
  ]);
});

test("ALTER SYSTEM breaks promises that no stack has to name", () => {
  const broken = {
    fsync: "of",
    full_page_writes: "off",
    synchronous_commit: "LOCAL",
    synchronous_standby_names: "ghost",
    restore_command: "/bin/false",
    primary_conninfo: "host=elsewhere",
    recovery_min_apply_delay: "1h",
    default_transaction_read_only: "on",
    wal_level: "minimal",
    hot_standby: "on",
    zero_damaged_pages: "1",
    datestyle: "SQL, DMY",
    default_transaction_isolation: "Serializable",
  };
  const harmless = {
    fsync: "on",
    synchronous_commit: "remote_apply",
    work_mem: "1GB",
    wal_level: "logical",
    default_transaction_read_only: "off",
    constructor: "x",
    password_encryption: "SCRAM-SHA-256",
    recovery_target_timeline: "latest",
    recovery_min_apply_delay: "0",
    recovery_target_time: "",
    recovery_prefetch: "off",
    datestyle: "iso, dmy",
    default_transaction_isolation: "repeatable read",
  };
  expect(brokenPromises({ altered: broken, configured: {} })).toEqual(broken);
  expect(brokenPromises({ altered: harmless, configured: {} })).toEqual({});
});

test("ALTER SYSTEM breaks nothing where it says what the stack and Patroni say", () => {
  const configured = {
    hot_standby: "on",
    restore_command: "/var/lib/pgherd/wal-from-backup %f %p",
    synchronous_commit: "off",
  };
  const altered = { ...configured, hot_standby: "true" };
  expect(brokenPromises({ altered, configured })).toEqual({});
  const others = { hot_standby: "off", restore_command: "/bin/false", synchronous_commit: "local" };
  expect(brokenPromises({ altered: others, configured })).toEqual(others);
});

test("ALTER ROLE and ALTER DATABASE of what breaks a promise are told, with the way back", () => {
  const of = (role: string | null, database: string | null, name: string, value: string) => ({
    ...{ role, database, name, value },
  });
  const overrides = [
    of("app", null, "synchronous_commit", "off"),
    of("my app", "my db", "synchronous_commit", "local"),
    of(null, "db", "zero_damaged_pages", "on"),
    of(null, null, "synchronous_commit", "remote_apply"),
    of("log", null, "ignore_checksum_failure", "off"),
  ];
  const lost = "commits of these sessions wait for no replica, and may be lost in a failover";
  const damaged =
    'zero_damaged_pages is "on" by ALTER DATABASE "db": these sessions read damaged data as if it were whole. ' +
    'If that is not meant: SET default_transaction_read_only = off; ALTER DATABASE "db" RESET zero_damaged_pages;';
  expect(sessionProblems({ overrides }, true)).toEqual([
    `synchronous_commit is "off" by ALTER ROLE "app": ${lost}. If that is not meant: SET default_transaction_read_only = off; ALTER ROLE "app" RESET synchronous_commit;`,
    `synchronous_commit is "local" by ALTER ROLE "my app" IN DATABASE "my db": ${lost}. ` +
      'If that is not meant: SET default_transaction_read_only = off; ALTER ROLE "my app" IN DATABASE "my db" RESET synchronous_commit;',
    damaged,
  ]);
  expect(sessionProblems({ overrides }, false)).toEqual([damaged]);
});

test("what ALTER ROLE and ALTER DATABASE have set is told where a replica would refuse Patroni's sessions, and nowhere else", () => {
  const of = (role: string | null, database: string | null) => ({
    ...{ role, database, name: "default_transaction_isolation", value: "serializable" },
  });
  const overrides = [of("app", null), of(null, "app"), of("postgres", "app"), of(null, null)];
  const all = [
    ...overrides,
    of("postgres", "postgres"),
    of(null, "postgres"),
    of("postgres", null),
  ];
  expect(sessionProblems({ overrides: all }, false).map((told) => told.split(":")[0])).toEqual(
    [
      "ROLE ALL",
      'ROLE "postgres" IN DATABASE "postgres"',
      'DATABASE "postgres"',
      'ROLE "postgres"',
    ].map((of) => `default_transaction_isolation is "serializable" by ALTER ${of}`),
  );
  const [first] = sessionProblems({ overrides }, false);
  expect(first).toBe(
    'default_transaction_isolation is "serializable" by ALTER ROLE ALL: Patroni\'s sessions are of these: ' +
      "a replica refuses each question of such a session (PostgreSQL, Hot Standby), Patroni's too. " +
      "If that is not meant: SET default_transaction_read_only = off; ALTER ROLE ALL RESET default_transaction_isolation;",
  );
});

test("a lesser role that Patroni's sessions would have is told", () => {
  const of = (name: string, value: string) => ({
    overrides: [{ role: name, database: null, name: "role", value }],
  });
  expect(sessionProblems(of("postgres", "auditor"), false)).toEqual([
    'role is "auditor" by ALTER ROLE "postgres": Patroni\'s sessions are of these: Patroni would have that role\'s rights alone, ' +
      "and could neither see nor lead the server. " +
      'If that is not meant: SET default_transaction_read_only = off; ALTER ROLE "postgres" RESET role;',
  ]);
  expect(sessionProblems(of("postgres", "none"), false)).toEqual([]);
  expect(sessionProblems(of("app", "auditor"), false)).toEqual([]);
  const { overrides } = of("postgres", "auditor");
  const lost = { role: null, database: null, name: "synchronous_commit", value: "off" };
  expect(blindingProblems({ overrides: [...overrides, lost] })).toEqual(
    sessionProblems({ overrides }, false),
  );
});

test("a status tells what ALTER SYSTEM has set for the next restart, whatever Patroni knows of it", () => {
  const altered = {
    ...{ shared_preload_libraries: "nosuch", max_connections: "20", work_mem: "1GB" },
    ...{ wal_level: "minimal", jit_provider: "llvmjit" },
  };
  const found = {
    ...{ ...FINE, altered, unchanged: ["jit_provider"], given: ["max_connections"] },
    pending: ["jit_provider", "max_connections", "shared_preload_libraries", "wal_level"],
  };
  expect(loadedProblems("db1", found)).toEqual([
    'db1: wal_level is "minimal" by ALTER SYSTEM, which breaks a promise of the stack. pulumi up takes it back.',
    "db1: shared_preload_libraries will be \"nosuch\" by ALTER SYSTEM from PostgreSQL's next restart on, a failure's too, and nobody has tried it. " +
      'If that is not meant: SET default_transaction_read_only = off; ALTER SYSTEM RESET "shared_preload_libraries"; SELECT pg_reload_conf();',
  ]);
});

test("a status does not promise that a run takes back what the server forbids to take back", () => {
  const altered = { fsync: "off" };
  expect(loadedProblems("db1", { ...FINE, altered, mayAlter: false })).toEqual([
    'db1: fsync is "off" by ALTER SYSTEM, which breaks a promise of the stack. It cannot be taken back while ' +
      "allow_alter_system is off: set it to on in postgresql.parameters, run pulumi up, and set it to off again.",
  ]);
});

test("a status says what would not start again, what is broken, and why commits hang", () => {
  expect(loadedProblems("db1", FINE)).toEqual([]);
  const waiting = { count: 2, seconds: 4 };
  expect(loadedProblems("db1", { ...FINE, waiting })).toEqual([]);
  expect(
    loadedProblems("db1", {
      ...FINE,
      errors: [{ file: "pg_hba.conf", line: 3, name: null, error: "invalid" }],
      altered: { synchronous_standby_names: "ghost" },
      waiting: { count: 1, seconds: 31 },
      synchronousStandbyNames: "ghost",
    }),
  ).toEqual([
    "db1: PostgreSQL does not load pg_hba.conf, line 3: invalid. It goes on as it is, but would not start again. Mend it by pulumi up.",
    'db1: synchronous_standby_names is "ghost" by ALTER SYSTEM, which breaks a promise of the stack. pulumi up takes it back.',
    'db1: 1 commit waits for a replica to confirm, for 31 s by now. synchronous_standby_names is "ghost", by ALTER SYSTEM.',
  ]);
});

test("lines of pg_hba.conf are the same whatever Patroni writes around them", () => {
  const written = ["# Do not edit this file manually!", "", " local all all peer", "host x", ""];
  expect(sameLines(written, ["local all all peer", "host x", "# office"])).toBe(true);
  expect(sameLines(written, ["host x", "local all all peer"])).toBe(false);
  expect(sameLines(written, ["local all all peer"])).toBe(false);
});

test("a server's answer is read line by line", () => {
  const answer = JSON.stringify({ ...FINE, hba: "# x\nlocal all all peer\n" });
  expect(loadedProbe(5432).parse(answer).hba).toEqual(["# x", "local all all peer", ""]);
});
