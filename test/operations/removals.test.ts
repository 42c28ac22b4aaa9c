import { expect, test } from "vitest";
import type { Held } from "../../src/facts/owned";
import type { Catalog } from "../../src/facts/postgres";
import { catalogChanges } from "../../src/operations/postgres";
import {
  closingChanges,
  describeHeld,
  describeRemovals,
  held,
  removalChanges,
  removed,
  toDrop,
} from "../../src/operations/removals";
import type { DatabaseInput, RoleInput } from "../../src/resources/inputs/database";

const role = (name: string, more: Partial<RoleInput> = {}): RoleInput => ({
  ...{ name, createdb: false, createrole: false, connectionLimit: -1 },
  ...more,
});
const database = (name: string, more: Partial<DatabaseInput> = {}): DatabaseInput => ({
  ...{ name, owner: "app", extensions: [] },
  ...more,
});
const there = (names: string[], databases: string[], closed: string[] = []): Catalog => ({
  roles: names.map((name) => ({
    ...{ name, createdb: false, createrole: false, connectionLimit: -1, replication: false },
    ...{ memberOf: [], executes: [], settings: {}, verifier: "" },
  })),
  databases: databases.map((name) => ({ name, owner: "app" })),
  closed,
});

const STAYS = { roles: [role("app")], databases: [database("app")] };
const BEFORE = {
  roles: [
    ...STAYS.roles,
    role("old"),
    role("kept", { onRemoval: "keep" }),
    role('dr"op', { onRemoval: "drop" }),
    role("barman", { replication: false }),
  ],
  databases: [...STAYS.databases, database("old"), database("gone", { onRemoval: "drop" })],
};

test("who leaves the stack cannot log in any more, and is kept or dropped only if that was asked for", () => {
  const gone = removed(BEFORE, STAYS);
  const found = there(["app", "old", "kept", 'dr"op', "barman"], ["app", "old", "gone"]);
  expect(removalChanges(gone, found)).toBe(
    `DROP DATABASE "gone";
ALTER ROLE "old" NOLOGIN;
ALTER ROLE "dr""op" NOLOGIN;
DROP ROLE "dr""op";
`,
  );
});

test("a removal that was cut off goes on, and one that is done changes nothing", () => {
  const gone = removed(BEFORE, STAYS);
  expect(removalChanges(gone, there(["app"], ["app", "old"], ["old", 'dr"op']))).toBe(
    'DROP ROLE "dr""op";\n',
  );
  expect(removalChanges(gone, there(["app"], ["app", "old"], ["old"]))).toBe("");
});

test("it is said exactly what becomes of each", () => {
  expect(describeRemovals(removed(BEFORE, STAYS))).toEqual([
    expect.stringMatching(
      /^user old leaves the stack: its login is closed \(NOLOGIN\).*Its password is forgotten/,
    ),
    expect.stringMatching(/^user kept leaves the stack: it stays and can log in as before/),
    expect.stringMatching(/^user dr"op leaves the stack: it is dropped/),
    "database old leaves the stack: it stays with all its data. pgherd cares for it no more",
    expect.stringMatching(/^database gone leaves the stack: it is DROPPED, WITH ALL ITS DATA/),
  ]);
  expect(describeRemovals(removed(STAYS, STAYS))).toEqual([]);
});

test("a user who comes back to the stack may log in again", () => {
  const sql = catalogChanges([role("old")], [], {}, there(["app"], ["app"], ["old"]));
  expect(sql).toMatch(/^ALTER ROLE "old" LOGIN;/);
});

test("what keeps a user from being dropped is told by database, with what to do", () => {
  const gone = removed(BEFORE, STAYS);
  const found = there(["app", 'dr"op', "old"], ["app", "gone"]);
  expect(toDrop(gone, found)).toEqual(['dr"op']);
  const of = (database: string, catalog: string, count: number, owned = true): Held => ({
    ...{ role: 'dr"op', database, catalog, count, owned },
  });
  const all = [
    of("app", "pg_class", 3),
    of("app", "pg_namespace", 1),
    of("app", "pg_class", 2, false),
    of("shop", "pg_database", 1),
    of("shop", "pg_default_acl", 1),
    of("", "pg_tablespace", 1),
    // It goes with its database.
    of("gone", "pg_class", 9),
    of("gone", "pg_database", 1),
  ];
  const [told = "", ...others] = describeHeld(held(gone, all));
  expect(others).toEqual([]);
  expect(told).toContain(
    "in database app it owns 3 tables, views or sequences, 1 schema, it was granted rights on, or is named by, 2 more; " +
      "in database shop it owns the database itself, it owns 1 set of default privileges; on the whole server it owns 1 tablespace",
  );
  expect(told).toContain("(app, shop)");
  expect(told).toContain(`REASSIGN OWNED BY "dr""op" TO "NEW_OWNER"; DROP OWNED BY "dr""op"`);
  expect(closingChanges(gone, found)).toBe(
    'ALTER ROLE "old" NOLOGIN;\nALTER ROLE "dr""op" NOLOGIN;\n',
  );
  expect(describeHeld(held(gone, all.slice(-2)))).toEqual([]);
});
