import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sqlSession } from "../../src/facts/sql";

// What psql is given, by a stand-in for setpriv and one for psql in a real shell.

const folder = mkdtempSync(join(tmpdir(), "pgherd-sql-"));

function program(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

program("setpriv", 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"');
const psql = program("psql", 'env; for one; do echo "argument=$one"; done');

function told(
  database: string,
  environment: Readonly<Record<string, string>> = {},
  socket = "/run/x",
): string[] {
  const script = sqlSession({
    ...{ user: "postgres", group: "postgres", program: psql, socket, port: 5433 },
    database,
  });
  const env = { PATH: `${folder}:/usr/bin:/bin`, ...environment };
  return execFileSync("sh", ["-euc", script, "sh", "host=evil.example"], { env, encoding: "utf8" })
    .trim()
    .split("\n");
}

test("a session has settings that neither a role nor a database can change", () => {
  const options = told("app").find((line) => line.startsWith("PGOPTIONS="));
  for (const setting of [
    "session_replication_role=replica",
    ...["search_path=pg_catalog,pg_temp", "role=none", "standard_conforming_strings=on"],
    ...["default_transaction_read_only=off", "local_preload_libraries=", "lc_messages=C"],
    ...["statement_timeout=0", "client_encoding=UTF8", "quote_all_identifiers=off"],
    "default_transaction_isolation=read\\ committed",
  ]) {
    expect(` ${options} `).toContain(` ${setting} `);
  }
});

test("what a trigger on logins says to everybody is no answer", () => {
  const options = told("app").find((line) => line.startsWith("PGOPTIONS=")) ?? "";
  // The last one counts.
  expect(options.match(/client_min_messages=\w+/g)?.at(-1)).toBe("client_min_messages=error");
});

test("nothing of the host's environment gets into a session", () => {
  const foreign = {
    PGSERVICE: "evil",
    PGHOSTADDR: "10.0.0.1",
    PGOPTIONS: "-c role=app",
    HOME: "/x",
  };
  const seen = told("app", foreign).join("\n");
  expect(seen).not.toMatch(/evil|10\.0\.0\.1|role=app|HOME/);
});

test("a database whose name is a connection string is asked by its name", () => {
  const seen = told('"$1"');
  expect(seen).toContain("PGDATABASE=host=evil.example");
  expect(seen.filter((line) => line.startsWith("argument=")).join(" ")).not.toContain("evil");
});

test("a server that takes a connection and says nothing is not waited for", () => {
  expect(told("app").some((line) => /^PGCONNECT_TIMEOUT=\d+$/.test(line))).toBe(true);
});

test("only a server of the user who asks is asked", () => {
  expect(told("app")).toContain("PGREQUIREPEER=postgres");
});

test.each([
  ["13", []],
  ["16", ["idle_session_timeout=0"]],
  ["18", ["idle_session_timeout=0", "transaction_timeout=0", "event_triggers=off"]],
  ["9.6", []],
  [undefined, []],
])(
  "a server of version %s gets the settings that keep its sessions from being ended, and none that it does not know",
  (version, newer) => {
    const socket = mkdtempSync(join(folder, "socket-"));
    const data = join(socket, "it's data");
    if (version !== undefined) {
      mkdirSync(data);
      writeFileSync(join(socket, ".s.PGSQL.5433.lock"), `17\n${data}\n1700000000\n`);
      writeFileSync(join(data, "PG_VERSION"), `${version}\n`);
    }
    const options = told("app", {}, socket).find((line) => line.startsWith("PGOPTIONS=")) ?? "";
    for (const setting of [
      "idle_session_timeout=0",
      "transaction_timeout=0",
      "event_triggers=off",
    ]) {
      expect(options.includes(` -c ${setting}`)).toBe((newer as string[]).includes(setting));
    }
    expect(options).toContain("-c idle_in_transaction_session_timeout=0");
  },
);
