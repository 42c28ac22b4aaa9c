import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readStack } from "../../src/cli/stack";
import { forksProbe } from "../../src/facts/forks";
import type { ClusterMember, ClusterView } from "../../src/facts/patroni";
import { chooseSource, refuseBroken } from "../../src/operations/forks";
import { changeFork, fitness, makeFork, removeFork } from "../../src/operations/fork-scripts";
import { planFork } from "../../src/plan/forks";
import { render } from "../../src/plan/template";
import { asRoot, give, ground, LESSER, rights } from "../users";

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
  expect(script.indexOf("mv -fT record.new record")).toBeGreaterThan(
    script.lastIndexOf("systemctl reload"),
  );
});

test("a password is in a file that root alone may read, and as a verifier in SQL", () => {
  const script = makeFork(inputs, "db3", undefined);
  expect(script.match(/A-SECRET/g)).toHaveLength(1);
  expect(script).toContain("SCRAM-SHA-256$4096:");
});

test("other rules for clients restart nothing", () => {
  const fork = forksProbe("db3", "/forks").parse(
    "fork=try\nport=5433\nmemory=1\ndisk=1\nttl=0\nbegun=1\nends=0\ntimeline=2\nunit=active\nreason=\n",
  )[0];
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
  expect(script).toContain("find /var/lib/postgresql/17/forks/try -xdev -mindepth 1 -delete");
  expect(script).toContain("rmdir /var/lib/postgresql/17/forks/try");
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

test.each([
  ["is empty", ""],
  ["names no port", "memory=1\ndisk=1\nttl=0\nbegun=1\nends=0\ntimeline=2\n"],
  ["has a word for a figure", "port=x\nmemory=1\ndisk=1\nttl=0\nbegun=1\nends=0\ntimeline=2\n"],
])("a fork whose record %s is broken, and nothing is done with it", (_what, record) => {
  const [fork] = forksProbe("db3", "/forks").parse(`fork=try\n${record}reason=\nunit=active\n`);
  if (!fork) throw new Error("no fork");
  expect(fork.state).toBe("broken");
  expect(fork.reason).toContain("pgherd fork drop try");
  expect(() => refuseBroken(fork)).toThrow("fork try: on db3 its record does not tell what it is");
});

/** A host's forks in a folder of a lesser user's, who stands for postgres, with units that are noted and do nothing. */
function forksHost() {
  const { root, lesser } = ground();
  const bin = join(root, "bin");
  mkdirSync(bin);
  const stub = (name: string, script: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  stub("systemctl", `echo "$*" >>${root}/told`);
  stub("pg_isready", "");
  const forks = join(lesser, "forks");
  const fork = join(forks, "try");
  for (const path of [forks, fork, join(fork, "data")]) {
    mkdirSync(path);
    give(path);
  }
  const theirs = (name: string, content: string) => {
    writeFileSync(join(fork, name), content);
    give(join(fork, name));
  };
  theirs("record", `cluster=demo\nname=try\nport=5433\ndisk=10\nends=0\n`);
  theirs("data/much", "more than ten bytes\n");
  const secret = join(root, "secret");
  writeFileSync(secret, "secret\nreason=secret\nends=1\n", { mode: 0o600 });
  const run = (script: string, ...args: string[]) => {
    const path = join(root, "script");
    writeFileSync(path, `set -eu\n${script.replaceAll("-u postgres", `-u ${LESSER}`)}`);
    return execFileSync("/bin/sh", [path, ...args], {
      encoding: "utf8",
      stdio: "pipe",
      env: { PATH: `${bin}:${process.env.PATH}` },
    });
  };
  const keeper = join(root, "script");
  return {
    root,
    lesser,
    forks,
    fork,
    secret,
    link: (name: string, to: string) => {
      execFileSync("rm", ["-rf", join(fork, name)]);
      symlinkSync(to, join(fork, name));
    },
    keep: (reserve: number, ...args: string[]) =>
      run(render("fork/keeper.sh", { keeper, forks, reserve }), ...args),
    run,
    told: () => readFileSync(join(root, "told"), "utf8"),
    untouched: () => {
      expect(readFileSync(secret, "utf8")).toBe("secret\nreason=secret\nends=1\n");
      expect(rights(secret)).toBe("root 600");
    },
  };
}

describe.runIf(asRoot)("where the user postgres has written a record that tells nothing", () => {
  test("the host stops the fork, since nobody knows what it may take", () => {
    const { fork, keep, told } = forksHost();
    writeFileSync(join(fork, "record"), "");
    keep(0);
    expect(told()).toContain("stop pgherd-fork-try.service");
    expect(readFileSync(join(fork, "stopped"), "utf8")).toBe(
      "its record does not tell what it may take\n",
    );
  });
});

describe.runIf(asRoot)("where the user postgres has put links", () => {
  test("the host writes nothing of root's when it stops a fork, and still stops it", () => {
    const { link, keep, told, fork, secret, untouched } = forksHost();
    link("stopped", secret);
    keep(2 ** 60);
    expect(told()).toContain("stop pgherd-fork-try.service");
    expect(readFileSync(join(fork, "stopped"), "utf8")).toMatch(/^the disk has only \d+ bytes/);
    untouched();
  });

  test("the host writes nothing of root's when it looks at a fork", () => {
    const { link, keep, fork, secret, untouched } = forksHost();
    link("looked", secret);
    execFileSync("touch", ["-hd", "1 hour ago", join(fork, "looked")]);
    keep(0);
    expect(readFileSync(join(fork, "looked"), "utf8")).toBe("");
    untouched();
  });

  test("the host reads nothing of root's for a fork's record", () => {
    const { link, keep, secret, fork, untouched } = forksHost();
    link("record", secret);
    keep(0);
    expect(readdirSync(fork)).toContain("data");
    untouched();
  });

  test("the host removes nothing of root's by a fork's folder that was exchanged", () => {
    const { keep, root, forks, fork } = forksHost();
    mkdirSync(join(root, "precious", "try"), { recursive: true });
    writeFileSync(join(root, "precious", "try", "file"), "");
    execFileSync("rm", ["-rf", fork]);
    execFileSync("rmdir", [forks]);
    symlinkSync(join(root, "precious"), forks);
    expect(() => keep(0, "remove", "try")).toThrow("Permission denied");
    expect(readdirSync(join(root, "precious", "try"))).toEqual(["file"]);
  });

  test("nothing of root's is told as a fork's record, reason or password", () => {
    const { link, run, secret, forks } = forksHost();
    const told = () => run(forksProbe("db3", forks).script);
    link("stopped", secret);
    expect(told()).toContain("port=5433\n");
    link("record", secret);
    expect(told()).not.toContain("secret");
  });

  test("a pipe for a record is not waited for", () => {
    const { fork, run, forks } = forksHost();
    execFileSync("rm", [join(fork, "record")]);
    execFileSync("mkfifo", [join(fork, "record")]);
    expect(run(forksProbe("db3", forks).script)).toBe("fork=try\n");
  });

  test("a change of a fork writes nothing of root's", () => {
    const { link, run, fork, secret, untouched } = forksHost();
    const [found] = forksProbe("db3", "/forks").parse("fork=try\nport=5433\nunit=active\n");
    if (!found) throw new Error("no fork");
    link("record.new", secret);
    link("postgresql.conf", secret);
    link("postgresql.conf.pgherd-new", secret);
    const path = join(fork, "postgresql.conf");
    const file = { content: "text\n", mode: "0600", owner: LESSER, group: LESSER };
    const changed = { ...inputs, folder: fork, files: { [path]: file } };
    expect(() => run(changeFork(changed, found, [path], inputs.password))).toThrow();
    untouched();
    link("record.new", "/nonexistent/directory");
    chmodSync(fork, 0o700);
    execFileSync("rm", [join(fork, "record.new")]);
    run(changeFork(changed, found, [path], inputs.password));
    expect(readFileSync(path, "utf8")).toBe("text\n");
    expect([rights(path), rights(join(fork, "record"))]).toEqual(["daemon 600", "daemon 644"]);
    untouched();
  });
});
