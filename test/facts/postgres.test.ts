import { expect, test } from "vitest";
import { catalogProbe, extensionsProbe } from "../../src/facts/postgres";

test("roles and databases are told as the catalogue holds them", () => {
  const output = `{"roles" : [{"name" : "app", "createdb" : false, "createrole" : false, "connectionLimit" : -1, "verifier" : ""}], "databases" : [{"name" : "postgres", "owner" : "postgres"}]}\n`;
  expect(catalogProbe(5432).parse(output)).toEqual({
    roles: [{ name: "app", createdb: false, createrole: false, connectionLimit: -1, verifier: "" }],
    databases: [{ name: "postgres", owner: "postgres" }],
  });
});

test("extensions are told by name", () => {
  expect(extensionsProbe(5432, "app").parse("pg_trgm\nplpgsql\n")).toEqual(["pg_trgm", "plpgsql"]);
});
