import { expect, test } from "vitest";
import type { Catalog, Role } from "../../src/facts/postgres";
import { catalogChanges, extensionChanges, foundRole } from "../../src/operations/postgres";
import { scramVerifier } from "../../src/operations/scram";

const role = { name: "app", createdb: false, createrole: false, connectionLimit: -1 };
const database = { name: "shop", owner: "app", extensions: [] };
const passwords = { app: "app-password", replicator: "replication-password" };

const EMPTY: Catalog = { roles: [], databases: [] };

/** Rights that a role of the server may have. */
const plain = { replication: false, memberOf: [], executes: [], settings: {} };

/** A server on which all is as wanted, and more than that. */
const whole: Catalog = {
  roles: [
    { ...role, ...plain, verifier: scramVerifier("app-password") },
    { ...role, ...plain, name: "replicator", verifier: scramVerifier("replication-password") },
    { ...role, ...plain, name: "by_hand", createdb: true, verifier: "" },
  ],
  databases: [
    { name: "shop", owner: "app" },
    { name: "postgres", owner: "postgres" },
  ],
};

test("an empty server gets its roles, passwords and databases, in this order", () => {
  const sql = catalogChanges([role], [database], passwords, EMPTY);
  expect(sql.replace(/SCRAM-[^']+/g, "VERIFIER").split("\n")).toEqual([
    'CREATE ROLE "app" LOGIN;',
    'ALTER ROLE "app" NOCREATEDB NOCREATEROLE CONNECTION LIMIT -1;',
    `ALTER ROLE "app" PASSWORD 'VERIFIER';`,
    `ALTER ROLE "replicator" PASSWORD 'VERIFIER';`,
    'CREATE DATABASE "shop" OWNER "app";',
    "",
  ]);
});

test("nothing is changed where all is as wanted", () => {
  expect(catalogChanges([role], [database], passwords, whole)).toBe("");
});

test("a password never stands in the SQL", () => {
  const sql = catalogChanges([role], [database], passwords, EMPTY);
  expect(sql).not.toContain("app-password");
  expect(sql).not.toContain("replication-password");
});

test("only what differs is changed", () => {
  const changed = { ...role, createdb: true, connectionLimit: 20 };
  expect(catalogChanges([changed], [database], passwords, whole)).toBe(
    'ALTER ROLE "app" CREATEDB NOCREATEROLE CONNECTION LIMIT 20;\n',
  );
  expect(catalogChanges([role], [{ ...database, owner: "by_hand" }], passwords, whole)).toBe(
    'ALTER DATABASE "shop" OWNER TO "by_hand";\n',
  );
  expect(catalogChanges([role], [database], { ...passwords, app: "new" }, whole)).toMatch(
    /^ALTER ROLE "app" PASSWORD 'SCRAM-SHA-256\$[^']+';\n$/,
  );
});

test("what is no longer wanted is never dropped", () => {
  expect(catalogChanges([], [], {}, whole)).toBe("");
});

test("names are quoted", () => {
  const hostile = { ...role, name: 'a"; DROP ROLE b; --' };
  expect(catalogChanges([hostile], [], {}, EMPTY)).toContain(
    'CREATE ROLE "a""; DROP ROLE b; --" LOGIN;',
  );
});

const available = {
  pg_trgm: { relocatable: true, schema: null },
  postgis: { relocatable: false, schema: null },
  pg_cron: { relocatable: false, schema: "pg_catalog" },
};

/** What its script relies on, unlike the rest. */
const WITH_TRIGGERS = "SET session_replication_role = origin;\n";

test("extensions are created once and never dropped", () => {
  const created = ["plpgsql", "hstore"];
  expect(extensionChanges(["pg_cron", "hstore"], { created, available })).toBe(
    `${WITH_TRIGGERS}CREATE EXTENSION "pg_cron";\n`,
  );
  expect(extensionChanges(["hstore"], { created, available })).toBe("");
  expect(extensionChanges([], { created, available })).toBe("");
});

test("an extension is created where nobody else can have put anything, and then moved to public", () => {
  const sql = () => extensionChanges(["pg_trgm"], { created: [], available });
  const [, schema = ""] = /^CREATE SCHEMA (\w+);$/m.exec(sql()) ?? [];
  // A name that somebody knows before could be a schema of the owner's.
  expect(schema).toMatch(/^pgherd_extension_[0-9a-f]{16}$/);
  expect(sql()).not.toContain(schema);
  expect(
    sql()
      .replaceAll(/pgherd_extension_\w+/g, "workplace")
      .split("\n"),
  ).toEqual([
    WITH_TRIGGERS.trimEnd(),
    "BEGIN;",
    "CREATE SCHEMA workplace;",
    'CREATE EXTENSION "pg_trgm" SCHEMA workplace;',
    'ALTER EXTENSION "pg_trgm" SET SCHEMA public;',
    "DROP SCHEMA workplace;",
    "COMMIT;",
    "",
  ]);
});

test("an extension that cannot be moved is created in its place, and one that is not there is asked for as it is", () => {
  const sql = extensionChanges(["postgis", "absent"], { created: [], available });
  expect(sql).toBe(
    `${WITH_TRIGGERS}CREATE EXTENSION "postgis" SCHEMA public;\nCREATE EXTENSION "absent";\n`,
  );
});

test("a role gets the rights that it lacks, and loses none", () => {
  const wanted = {
    ...role,
    replication: true,
    memberOf: ["pg_read_all_settings", "pg_read_all_stats"],
    executes: ["pg_switch_wal()"],
  };
  const there = { ...role, ...plain, memberOf: ["pg_read_all_stats", "pg_monitor"], verifier: "" };
  const sql = catalogChanges([wanted], [], {}, { roles: [there], databases: [] });
  expect(sql.trim().split("\n")).toEqual([
    'ALTER ROLE "app" NOCREATEDB NOCREATEROLE CONNECTION LIMIT -1 REPLICATION;',
    'GRANT "pg_read_all_settings" TO "app";',
    'GRANT EXECUTE ON FUNCTION pg_catalog.pg_switch_wal() TO "app";',
  ]);
  const then = { ...there, ...wanted };
  expect(catalogChanges([wanted], [], {}, { roles: [then], databases: [] })).toBe("");
});

test("grants are made once all roles are there, and what the stack no longer grants is taken back", () => {
  const app = { ...role, memberOf: ["pg_monitor", "reporting"], noOthers: true };
  const reporting = { ...role, name: "reporting" };
  const lines = catalogChanges([app, reporting], [], {}, EMPTY).split("\n");
  expect(lines.slice(4)).toEqual([
    'GRANT "pg_monitor" TO "app";',
    'GRANT "reporting" TO "app";',
    "",
  ]);
  const found = (memberOf: string[]): Catalog => ({
    roles: [
      { ...role, ...plain, memberOf, verifier: "" },
      { ...reporting, ...plain, verifier: "" },
    ],
    databases: [],
  });
  expect(catalogChanges([app, reporting], [], {}, found(["pg_monitor", "reporting"]))).toBe("");
  expect(
    catalogChanges(
      [{ ...app, memberOf: [] }, reporting],
      [],
      {},
      found(["made_by_hand", "pg_monitor", "reporting"]),
    ),
  ).toBe('REVOKE "pg_monitor" FROM "app";\nREVOKE "reporting" FROM "app";\n');
  expect(catalogChanges([role, reporting], [], {}, found(["pg_monitor"]))).toBe("");
});

test("a role is found with what it was granted beside what is wanted, so that a refresh shows it", () => {
  const app = { ...role, memberOf: ["pg_monitor"], noOthers: true };
  const there = { ...role, ...plain, memberOf: ["made_by_hand", "pg_read_all_data"], verifier: "" };
  expect(foundRole(app, there, ["app"]).memberOf).toEqual(["pg_read_all_data"]);
});

test("a role's own settings are set where the server has others, and only those", () => {
  const wanted = { ...role, settings: { idle_session_timeout: "0", statement_timeout: "0" } };
  const [app, ...others] = whole.roles;
  if (!app) throw new Error("expected a role");
  const half: Role = { ...app, settings: { statement_timeout: "0", work_mem: "1GB" } };
  const found = (there: Role) => ({ ...whole, roles: [there, ...others] });
  expect(catalogChanges([wanted], [database], passwords, found(half))).toBe(
    `ALTER ROLE "app" SET "idle_session_timeout" TO '0';\n`,
  );
  expect(foundRole(wanted, half)).toMatchObject({ settings: { statement_timeout: "0" } });
  const equal = { ...half, settings: wanted.settings };
  expect(catalogChanges([wanted], [database], passwords, found(equal))).toBe("");
  expect(foundRole(wanted, equal)).toEqual(wanted);
});
