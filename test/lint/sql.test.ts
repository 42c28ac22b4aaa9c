import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

// Nothing questions a server but in a session with settings of its own (src/session-settings.ts).

const ROOT = resolve(import.meta.dirname, "../..");

const CLIENTS =
  "psql|pg_receivewal|pg_recvlogical|pg_basebackup|pg_dump|pg_dumpall|pg_restore|pg_amcheck|pg_rewind|vacuumdb|reindexdb|createdb|createuser|dropdb|clusterdb|pgbench";

/** One of these programs as a command, by its name or its path, or a variable that holds it: with an argument. */
const CALL = new RegExp(
  `(^|[\\s"'\`(/;|&])["']?[$"{}\\w/]*\\b(${CLIENTS})["'}]*\\s+(-|\\\\?"|\\$|\\{\\{|['"])`,
);

/** Sessions of the person at the keyboard, of a lab with tables of its own, and how a lab finds what it is to kill. */
const OTHERS = [
  "src/cli/psql.ts",
  "src/cli/superuser.ts",
  "src/cli/fork.ts",
  "src/cli/fork-view.ts",
  "src/cli/lab.ts",
  "src/lab/chaos/members.ts",
  "src/operations/removals.ts",
  "src/roles/barman.ts",
  "src/lab/faults/processes.ts",
];

function files(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .sort();
}

function calls(file: string): string[] {
  return readFileSync(join(ROOT, file), "utf8")
    .split("\n")
    .filter((line) => !/^\s*(\*|\/\/|\/\*|#|--)/.test(line) && CALL.test(line));
}

test("a server is questioned by one function only", () => {
  const found = files("src").filter((file) => !OTHERS.includes(file) && calls(file).length > 0);
  expect(found).toEqual([]);
  const session = readFileSync(join(ROOT, "src/facts/sql.ts"), "utf8");
  expect(session).toContain("PGOPTIONS=${quote(SUPERUSER_OPTIONS)}");
  const psql = files("src").filter((file) =>
    /\bpsql\b.*ON_ERROR_STOP|ON_ERROR_STOP.*\bpsql\b/.test(readFileSync(join(ROOT, file), "utf8")),
  );
  expect(psql.filter((file) => !OTHERS.includes(file))).toEqual([]);
});

test("each script that asks a server sets its session up first", () => {
  const wrong = files("templates").filter((file) => {
    const text = readFileSync(join(ROOT, file), "utf8");
    const at = text.split("\n").findIndex((line) => calls(file).includes(line));
    if (at < 0) return false;
    const before = text.split("\n").slice(0, at + 1);
    return !before.some((line) => /^\{\{session\}\}$|PGOPTIONS=/.test(line));
  });
  expect(wrong).toEqual([]);
});

test("a connection string for another program brings a search_path along", () => {
  const golden = files("test/plan/golden-backup").filter((file) => file.endsWith(".txt"));
  for (const file of golden) {
    const text = readFileSync(join(ROOT, file), "utf8");
    for (const line of text.match(/^(streaming_)?conninfo = .*/gm) ?? []) {
      expect(line, file).toMatch(/ options=-csearch_path=pg_catalog,pg_temp( |$)/);
      // Barman splits at every space, quoted or not.
      expect(line, file).not.toMatch(/['"\\]/);
    }
  }
});

test("the lint knows a question when it sees one", () => {
  for (const line of [
    'psql "$conninfo replication=1" -XAt',
    '"$bin/psql" -c x',
    "runuser -u postgres -- psql -XAtq",
    "/usr/bin/psql {{shell conninfo}}",
    '"$pg_receivewal" --no-loop',
  ]) {
    expect(CALL.test(line), line).toBe(true);
  }
});

test("SQL that we tell somebody to run works in a database that is read-only by default", () => {
  const WRITES = /\b(CREATE|ALTER|DROP) (ROLE|DATABASE|EXTENSION|SCHEMA)\b/;
  const told = files("src").flatMap((file) =>
    readFileSync(join(ROOT, file), "utf8")
      .split("\n")
      .filter((line) => /Run there:|Rename it|If that is not meant:/.test(line))
      .filter((line) => WRITES.test(line) && !line.includes("toBeRun("))
      .map((line) => `${file}: ${line.trim()}`),
  );
  expect(told).toEqual([]);
});
