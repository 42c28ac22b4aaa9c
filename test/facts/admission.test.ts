import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { admissionProbe } from "../../src/facts/admission";
import { strict } from "../../src/host/shell";

const { script, parse } = admissionProbe(5432);

test.each<[said: string, reason: string | undefined]>([
  ["", undefined],
  [
    'psql: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: FATAL:  could not access file "nosuch": No such file or directory\n',
    'could not access file "nosuch": No such file or directory',
  ],
  [
    'psql: error: FATAL:  could not access file "$libdir/plugins/x": No such file or directory\n',
    'could not access file "$libdir/plugins/x": No such file or directory',
  ],
  [
    "psql: error: connection to server failed: ВАЖНО:  доступ к файлу невозможен\n",
    "доступ к файлу невозможен",
  ],
  [
    'psql: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: No such file or directory\n\tIs the server running locally?\n',
    undefined,
  ],
])("what psql says (%s) tells whether a server that runs lets somebody in", (said, reason) => {
  expect(parse(said)).toBe(reason);
});

test("whether clients get in is seen without what pgherd's own sessions are kept from", () => {
  // A connection string wins over the environment (libpq, "options").
  expect(script).toContain(`"dbname=postgres options='-c lc_messages=C'"`);
});

describe("psql's session does not begin, and the server", () => {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-admission-"));
  const said = "psql: error: connection to server failed: FATAL:  das Datenbanksystem startet";

  /** @param code of pg_isready. */
  function asked(code: number): string | undefined {
    const programs = {
      setpriv: 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"',
      timeout: `echo '${said}' >&2; exit 2`,
      // What follows is `-i sh -c SCRIPT …`.
      env: `exit ${code}`,
    };
    for (const [name, text] of Object.entries(programs))
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    const env = { PATH: `${folder}:${process.env.PATH}` };
    return parse(execFileSync("sh", ["-s"], { input: strict(script), env, encoding: "utf8" }));
  }

  test("is open to others: it is told", () => expect(asked(0)).toBe("das Datenbanksystem startet"));
  test("starts or stops: it may let clients in later", () => expect(asked(1)).toBeUndefined());
  test("does not answer: it is not there", () => expect(asked(2)).toBeUndefined());
});
