import { expect, test } from "vitest";
import { catalogProbe, extensionsProbe } from "../../src/facts/postgres";

test("roles and databases are told as the catalogue holds them", () => {
  const output = `{"roles" : [{"name" : "app", "createdb" : false, "createrole" : false, "connectionLimit" : -1, "verifier" : ""}], "databases" : [{"name" : "postgres", "owner" : "postgres"}]}\n`;
  expect(catalogProbe(5432).parse(output)).toEqual({
    roles: [{ name: "app", createdb: false, createrole: false, connectionLimit: -1, verifier: "" }],
    databases: [{ name: "postgres", owner: "postgres" }],
  });
});

test("extensions are told by name, with how those of the host are placed", () => {
  const output = `{"created" : ["plpgsql"], "available" : {"pg_trgm" : {"relocatable" : true, "schema" : null}}}\n`;
  expect(extensionsProbe(5432, "app").parse(output)).toEqual({
    created: ["plpgsql"],
    available: { pg_trgm: { relocatable: true, schema: null } },
  });
});
