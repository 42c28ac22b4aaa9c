import { expect, test } from "vitest";
import { admissionProbe } from "../../src/facts/admission";

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
  ["psql: error: connection failed: FATAL:  the database system is starting up\n", undefined],
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
