import { expect, test } from "vitest";
import type { RunningSettings } from "../../src/facts/settings";
import {
  asksInVain,
  clearMarks,
  endMarks,
  lowered,
  notLoaded,
  otherwisePending,
  overridden,
  resetSettings,
  wantedSettings,
  waitingFor,
} from "../../src/operations/settings";

const WANTED = wantedSettings({
  ttl: 30,
  postgresql: { parameters: { Work_Mem: "8MB", max_connections: 200, track_io_timing: "on" } },
});

const running: RunningSettings = {
  files: {
    work_mem: { value: "8MB", file: "postgresql.conf" },
    track_io_timing: { value: "on", file: "postgresql.conf" },
  },
  started: { max_connections: "200", port: "5432" },
  pending: [],
  unchanged: [],
  inForce: {},
  kinds: {
    work_mem: { type: "integer", unit: "kB" },
    max_connections: { type: "integer", unit: null },
    track_io_timing: { type: "bool", unit: null },
  },
};

test("settings are those of the dynamic configuration, as text and in lower case", () => {
  expect(WANTED).toEqual({ work_mem: "8MB", max_connections: "200", track_io_timing: "on" });
  expect(wantedSettings({})).toEqual({});
});

test("what a member has as wanted is loaded", () => {
  expect(notLoaded(WANTED, running)).toEqual({});
  expect(lowered(WANTED, running)).toEqual([]);
  expect(otherwisePending(WANTED, running)).toEqual([]);
});

test("what a member has in other words is loaded", () => {
  const wanted = {
    work_mem: "8192",
    track_io_timing: "true",
    autovacuum_vacuum_scale_factor: "0.00001",
    wal_keep_size: "1GB",
  };
  const others: RunningSettings = {
    ...running,
    files: {
      ...running.files,
      autovacuum_vacuum_scale_factor: { value: "1e-05", file: "postgresql.auto.conf" },
    },
    started: { wal_keep_size: "1024" },
    kinds: {
      ...running.kinds,
      autovacuum_vacuum_scale_factor: { type: "real", unit: null },
      wal_keep_size: { type: "integer", unit: "MB" },
    },
  };
  expect(notLoaded(wanted, others)).toEqual({});
  expect(overridden(wanted, others)).toEqual([]);
  expect(otherwisePending(wanted, others)).toEqual([]);
});

test("what a member has in its files otherwise, or not at all, is not loaded", () => {
  const files = { work_mem: { value: "4MB", file: "postgresql.conf" } };
  expect(notLoaded(WANTED, { ...running, files })).toEqual({
    work_mem: "4MB",
    track_io_timing: "nothing",
  });
});

test("what somebody set by ALTER SYSTEM is told as such, and can be taken back", () => {
  const altered = {
    ...running,
    files: {
      ...running.files,
      work_mem: { value: "1GB", file: "postgresql.auto.conf" },
      log_statement: { value: "all", file: "postgresql.auto.conf" },
    },
  };
  expect(notLoaded(WANTED, altered)).toEqual({ work_mem: "1GB by ALTER SYSTEM" });
  // Settings that are none of ours stay.
  expect(overridden(WANTED, altered)).toEqual(["work_mem"]);
  expect(resetSettings(5432, ["work_mem"])).toContain('ALTER SYSTEM RESET "work_mem";');
});

test("a value that the server was started with changes by a restart alone", () => {
  const before = { ...running, started: { max_connections: "100" } };
  expect(notLoaded(WANTED, before)).toEqual({});
  expect(otherwisePending(WANTED, before)).toEqual(["max_connections"]);
  expect(lowered(WANTED, before)).toEqual([]);
});

test("what only replay needs waits for no restart of a leader that was made from a backup", () => {
  const restored = {
    ...running,
    started: { ...running.started, hot_standby: "off" },
    pending: ["hot_standby", "recovery_target_action", "recovery_target_time"],
  };
  expect(otherwisePending({ ...WANTED, hot_standby: "on" }, restored)).toEqual([]);
});

test("one that becomes lower is known as such", () => {
  const before = { ...running, started: { max_connections: "300" }, pending: ["shared_buffers"] };
  expect(lowered(WANTED, before)).toEqual(["max_connections"]);
  expect(otherwisePending(WANTED, before)).toEqual(["shared_buffers"]);
});

test("what ALTER SYSTEM has set beside what is wanted and in force is worth no restart", () => {
  const altered: RunningSettings = {
    ...running,
    files: { wal_level: { value: "minimal", file: "postgresql.auto.conf" } },
    started: { ...running.started, wal_level: "replica" },
    pending: ["wal_level", "shared_buffers"],
    inForce: { wal_level: "replica", shared_buffers: "16384" },
    kinds: {
      ...running.kinds,
      wal_level: { type: "enum", unit: null },
      shared_buffers: { type: "integer", unit: "8kB" },
    },
  };
  const wanted = { ...WANTED, wal_level: "replica", shared_buffers: "128MB" };
  expect(otherwisePending(wanted, altered)).toEqual([]);
  expect(otherwisePending({ ...wanted, shared_buffers: "256MB" }, altered)).toEqual([
    "shared_buffers",
  ]);
});

test("a setting that came and went leaves a mark, and is worth no restart", () => {
  const back = { ...running, pending: ["huge_pages"], unchanged: ["huge_pages"] };
  expect(otherwisePending(WANTED, back)).toEqual([]);
  expect(waitingFor(WANTED, { ...back, pending: ["huge_pages", "wal_buffers"] })).toEqual([
    "wal_buffers",
  ]);
  // Wanted again, it is as before.
  const again = {
    ...back,
    unchanged: [],
    inForce: { huge_pages: "try" },
    kinds: { ...running.kinds, huge_pages: { type: "enum" as const } },
  };
  expect(otherwisePending({ ...WANTED, huge_pages: "on" }, again)).toEqual(["huge_pages"]);
});

test("Patroni asks in vain where nothing but such marks makes it ask", () => {
  const asks = (told: readonly string[], pending: string[], unchanged: string[]) =>
    asksInVain(
      {
        pendingRestart: true,
        pendingSettings: Object.fromEntries(
          told.map((name) => [name, { running: "try", wanted: "try" }]),
        ),
      },
      { pending, unchanged },
    );
  expect(asks(["huge_pages"], ["huge_pages"], ["huge_pages"])).toBe(true);
  expect(asks([], ["huge_pages"], ["huge_pages"])).toBe(true);
  expect(asks(["huge_pages", "port"], ["huge_pages"], ["huge_pages"])).toBe(false);
  expect(asks([], ["huge_pages", "wal_buffers"], ["huge_pages"])).toBe(false);
  // A reason that Patroni alone knows.
  expect(asks([], [], [])).toBe(false);
  expect(asksInVain({ pendingRestart: false }, { pending: [], unchanged: [] })).toBe(false);
});

test("marks of settings are left alone where the server forbids ALTER SYSTEM, and nothing is taken back that was not set", () => {
  const allowed = "coalesce(current_setting('allow_alter_system', true), 'on') = 'on'";
  expect(clearMarks(5432)).toMatch(/alter system set %I = %L[^\\]*\\gexec/);
  for (const script of [clearMarks(5432), endMarks(5432, ["it's"])])
    expect(script).toContain(allowed);
  expect(endMarks(5432, ["it's"])).toContain("array['it''s']::text[]");
  expect(endMarks(5432, ["a"])).not.toContain("RAISE");
});
