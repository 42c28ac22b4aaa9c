import { expect, test } from "vitest";
import { readStack } from "../../src/cli/stack";
import { forksProbe } from "../../src/facts/forks";
import type { ClusterMember, ClusterView } from "../../src/facts/patroni";
import { chooseSource } from "../../src/operations/forks";
import { changeFork, fitness, makeFork, removeFork } from "../../src/operations/fork-scripts";
import { planFork } from "../../src/plan/forks";

const settings = readStack("lab");
const plan = planFork(settings, {
  name: "try",
  from: "replica",
  port: 5433,
  memory: 512 * 2 ** 20,
  disk: 10 * 2 ** 30,
  ttl: 3600,
});
const inputs = { cluster: "demo", ...plan, password: "A-SECRET" };

function member(name: string, role: string, more: Partial<ClusterMember> = {}): ClusterMember {
  const state = role === "leader" ? "running" : "streaming";
  return { name, role, state, pendingRestart: false, ...more };
}

function view(...members: ClusterMember[]): ClusterView {
  return { members, paused: false };
}

test.each([
  [
    "one that confirms no commits",
    view(member("db1", "leader"), member("db2", "sync_standby"), member("db3", "replica")),
    "db3",
  ],
  [
    "the one that is furthest on",
    view(
      member("db1", "leader"),
      member("db2", "replica", { lagBytes: 4096 }),
      member("db3", "replica", { lagBytes: 0 }),
    ),
    "db3",
  ],
  [
    "one that confirms commits, if there is no other",
    view(member("db1", "leader"), member("db2", "sync_standby")),
    "db2",
  ],
])("a fork is made from a replica: %s", (_title, seen, expected) => {
  expect(chooseSource(seen, "replica")).toBe(expected);
});

test("a fork is made from the member that is named, the leader too", () => {
  expect(chooseSource(view(member("db1", "leader"), member("db2", "replica")), "db1")).toBe("db1");
});

test("without a replica that is up nothing is forked, and it is said what to do", () => {
  const lonely = view(member("db1", "leader"), member("db2", "replica", { state: "starting" }));
  expect(() => chooseSource(lonely, "replica")).toThrow(
    "expected a replica that streams, found: db1 leader running, db2 replica starting.\n" +
      "Wait for one (pgherd status), or name the member that the fork is to be made from.",
  );
  expect(() => chooseSource(lonely, "db2")).toThrow("expected db2 to be up");
});

test("nobody but the host's superuser comes in before the roles have the fork's password", () => {
  const script = makeFork(inputs, "db3", "0/3000060");
  const at = (text: string, from = 0) => script.indexOf(text, from);
  const closed = at("local all postgres peer\nPGHERD");
  const started = at("systemctl start pgherd-fork-try.service");
  const passwords = at("alter role %I password");
  const opened = at("scram-sha-256\n");
  expect(closed).toBeGreaterThan(0);
  expect(closed).toBeLessThan(started);
  expect(started).toBeLessThan(passwords);
  expect(passwords).toBeLessThan(opened);
});

test("the control file is copied after the data and the WAL last, between the marks of a backup", () => {
  const script = makeFork(inputs, "db3", undefined);
  const order = [
    '"$member/." "$data/"',
    '"$member/global/pg_control" "$data/global/pg_control"',
    '"$member/pg_wal/." "$data/pg_wal/"',
    "pg_backup_start",
    "copy data",
    "pg_backup_stop",
    "copy wal",
  ].map((text) => script.indexOf(text));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(order[0]).toBeGreaterThan(0);
});

test("an older server is asked by its own functions", () => {
  const older = { ...inputs, source: { ...inputs.source, version: 14 } };
  expect(makeFork(older, "db3", undefined)).toContain(
    "pg_start_backup('pgherd fork', true, false)",
  );
});

test("the record that makes a fork complete is written after all else, but for the timer", () => {
  const script = makeFork(inputs, "db3", undefined);
  expect(script.indexOf('mv "$fork/record.new"')).toBeGreaterThan(
    script.lastIndexOf("systemctl reload"),
  );
});

test("a password is in a file that root alone may read, and as a verifier in SQL", () => {
  const script = makeFork(inputs, "db3", undefined);
  expect(script.match(/A-SECRET/g)).toHaveLength(1);
  expect(script).toContain("SCRAM-SHA-256$4096:");
});

test("other rules for clients restart nothing", () => {
  const fork = forksProbe("db3", "/forks").parse("fork=try\nport=5433\nunit=active\nreason=\n")[0];
  if (!fork) throw new Error("no fork");
  const access = changeFork(inputs, fork, [`${inputs.folder}/pg_hba.conf`], inputs.password);
  expect(access).not.toContain("systemctl restart");
  expect(access).toContain("systemctl reload pgherd-fork-try.service");
  const settingsChanged = changeFork(
    inputs,
    fork,
    [`${inputs.folder}/postgresql.conf`],
    inputs.password,
  );
  expect(settingsChanged).toContain("systemctl restart pgherd-fork-try.service");
});

test("all reasons against a fork are looked for at once", () => {
  const script = fitness(inputs);
  expect(script).toContain("cp --reflink=always /var/lib/postgresql/17/main/PG_VERSION");
  expect(script).toContain("pg_tblspc");
  expect(script).toContain(":1539 "); // 5433 as the kernel writes it
});

test("with the last fork goes what all of them share", () => {
  const script = removeFork(inputs, "/var/lib/postgresql/17/forks", "try");
  expect(script).toContain("pgherd-forks.timer");
  expect(script).toContain("rm -rf --one-file-system /var/lib/postgresql/17/forks/try");
});

test("a host tells its forks, half-made ones too", () => {
  const output = [
    "fork=half",
    "fork=try",
    "cluster=demo",
    "name=try",
    "host=db3",
    "port=5433",
    "memory=536870912",
    "disk=10737418240",
    "ttl=3600",
    "begun=1763766000",
    "ends=1763769600",
    "copied=93",
    "timeline=3",
    "unit=inactive",
    "reason=it takes 11 bytes of the disk, more than 10",
    "own=11",
    "",
  ].join("\n");
  expect(forksProbe("db3", "/forks").parse(output)).toEqual([
    expect.objectContaining({ name: "half", state: "incomplete" }),
    {
      name: "try",
      host: "db3",
      port: 5433,
      state: "stopped",
      reason: "it takes 11 bytes of the disk, more than 10",
      memory: 536870912,
      disk: 10737418240,
      ttl: 3600,
      begun: 1763766000,
      ends: 1763769600,
      copied: 93,
      timeline: 3,
      own: 11,
    },
  ]);
});
