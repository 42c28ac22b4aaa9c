import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { version } from "../../package.json";

const PGHERD = join(import.meta.dirname, "../../bin/pgherd");

/** Nobody is at home under the addresses of the lab's settings: whoever asks a host waits for it in vain. */
function pgherd(...words: string[]): { code: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PGHERD, ...words], {
    encoding: "utf8",
    timeout: 60_000,
  });
  return { code: status, said: stdout + stderr };
}

test.each([
  ["logs --since nonsense", "--since: expected a time such as -10m, -2h, today", '"nonsense"'],
  ["logs --lines many", "--lines: expected a number", '"many"'],
  [
    "logs -d patron",
    "Allowed choices are patroni, etcd, consul, haproxy, keepalived, barman",
    "patron",
  ],
  ["logs db9", "host: expected one of db1", "Did you mean db1"],
  ["status --watch often", "--watch: expected a time", '"often"'],
  ["switchover --at tomorrow", "--at: expected a time", '"tomorrow"'],
  ["switchover --to db9 -y", "--to: expected one of db1, db2, db3", "Did you mean db1"],
  ["failover --to db9 -y", "--to: expected one of db1, db2, db3", "Did you mean db1"],
  ["restart db9 -y", "member: expected one of db1, db2, db3", "Did you mean db1"],
  ["reload db9", "member: expected one of db1, db2, db3", "Did you mean db1"],
  ["reinit db9 -y", "member: expected one of db1, db2, db3", "Did you mean db1"],
  ["users rotate ap -y", "user: expected one of app", "Did you mean app"],
  ["probe --rate fast", "--rate: expected a number", '"fast"'],
  ["probe --for ever", "--for: expected a time", '"ever"'],
  ["psql --port secondary", "Allowed choices are primary, replica", "secondary"],
  ["serve --listen 127.0.0.1:99999", "--listen: expected an address and a port", "99999"],
  ["fork create try --port many", "Expected a port from 1 to 65535", "many"],
  ["fork create Try", "--name: expected a lower-case name", '"Try"'],
  ["fork create try --memory much", "--memory: expected a size", '"much"'],
  ["fork create try --from db9", "--from: expected one of replica, db1", '"db9"'],
  ["fork create try --ttl long", "--ttl: expected a time", '"long"'],
  ["plan", "expected what to show", "--flows"],
  ["plan --files db9", "--files: expected one of db1, db2, db3", "Did you mean db1"],
  ["status --jason", "unknown option '--jason'", "Did you mean --json"],
  ["statsu", "unknown command 'statsu'", "Did you mean status"],
  ["restart", "missing required argument 'member'", ""],
  ["init /nonexistent --host my/host=10.0.0.1 -y", "--host my/host=10.0.0.1: expected", "NAME"],
  ["init /nonexistent --host db1=10.0.0 -y", "--host db1=10.0.0: expected NAME=ADDRESS", ""],
  [
    "init /nonexistent --host db1=10.0.0.1 --user -x -y",
    "--user -x: expected the name of a user",
    "",
  ],
  [
    "init /nonexistent --host db1=10.0.0.1 --name Big! -y",
    "--name Big!: expected a lower-case",
    "",
  ],
  ["init /nonexistent --stack ../../x", "--stack ../../x: expected letters, digits", ""],
])("%s ends with 2, before a host is asked, and says what is accepted", (line, ...expected) => {
  const { code, said } = pgherd(...line.split(" "));
  for (const text of expected) expect(said).toContain(text);
  expect(code).toBe(2);
});

test("a host's name with blanks is refused as what it is, before anybody is asked for it", () => {
  const { code, said } = pgherd("init", "/nonexistent", "--host", "db 1=10.0.0.1", "-y");
  expect(said).toContain("--host db 1=10.0.0.1: expected a NAME for the host, a lower-case name");
  expect(code).toBe(2);
});

test.each(["--version", "-V"])("%s prints the version", (option) => {
  expect(pgherd(option)).toEqual({ code: 0, said: `${version}\n` });
});

test.each([
  [
    ["-c", "select 1"],
    ["-c", "select 1"],
  ],
  [
    ["--replica", "-Atc", "select 1", "-v", "x=1"],
    ["-Atc", "select 1", "-v", "x=1"],
  ],
  [
    ["--", "-c", "select 1"],
    ["-c", "select 1"],
  ],
  [
    ["-f", "a file.sql", "--csv"],
    ["-f", "a file.sql", "--csv"],
  ],
  [["--version"], ["--version"]],
])("psql gets its own options: %j", (words, expected) => {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-psql-"));
  const program = (name: string, text: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  const outputs = { connection: { primary: "uri", replica: "uri" }, passwords: { app: "secret" } };
  program("pulumi", `echo '${JSON.stringify(outputs)}'`);
  program("psql", `printf '%s\\n' "$@" >${folder}/words`);
  execFileSync(process.execPath, [PGHERD, "psql", ...words], {
    env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
  });
  expect(readFileSync(join(folder, "words"), "utf8").trim().split("\n")).toEqual([
    ...["--dbname", "uri"],
    ...expected,
  ]);
});

test("serve ends where it cannot listen, instead of going on unheard", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const { code, said } = pgherd("serve", "--stack", "lab", "--listen", `127.0.0.1:${port}`);
  taken.close();
  expect(said).toContain("EADDRINUSE");
  expect(code).toBe(1);
});

test("serve ends where others could read its token", () => {
  const file = join(mkdtempSync(join(tmpdir(), "pgherd-token-")), "token");
  writeFileSync(file, "0123456789abcdef0123456789abcdef", { mode: 0o644 });
  chmodSync(file, 0o644);
  const { code, said } = pgherd("serve", "--stack", "lab", "--token-file", file);
  expect(said).toContain(file);
  expect(code).toBeGreaterThan(0);
});

test("a reader that has read enough, as `head` does, ends a verb without a trace", () => {
  // It has ended before anything is said.
  const { stderr } = spawnSync("sh", ["-c", `"$0" "$1" --help | true`, process.execPath, PGHERD], {
    encoding: "utf8",
    timeout: 60_000,
  });
  expect(stderr).toBe("");
});
