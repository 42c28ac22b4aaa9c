import { expect, test } from "vitest";
import type { Catalog } from "../../src/facts/postgres";
import { catalogChanges } from "../../src/operations/postgres";
import { describeRemovals, removalChanges, removed } from "../../src/operations/removals";
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
