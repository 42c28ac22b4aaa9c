import { expect, test } from "vitest";
import { describeSchemas, foundSchemas, schemaChanges } from "../../src/operations/schemas";

const sales = { name: "sales", owner: "app", usage: ["reader"], create: [] };
const audit = { name: 'au"dit', owner: "reader", usage: [], create: ["app"] };

test("schemas are created with their owner and their rights, each name as a name", () => {
  expect(schemaChanges([sales, audit], []).split("\n")).toEqual([
    'CREATE SCHEMA "sales" AUTHORIZATION "app";',
    'GRANT USAGE ON SCHEMA "sales" TO "reader";',
    'CREATE SCHEMA "au""dit" AUTHORIZATION "reader";',
    'GRANT CREATE ON SCHEMA "au""dit" TO "app";',
    "",
  ]);
});

test("nothing is changed where all is as wanted, and nothing is dropped or taken back", () => {
  const there = [
    { ...sales, usage: ["by_hand", "reader"], create: ["by_hand"] },
    { ...audit, usage: ["reader"] },
    { name: "by_hand", owner: "app", usage: [], create: [] },
  ];
  expect(schemaChanges([sales, audit], there)).toBe("");
  expect(foundSchemas([sales, audit], there)).toEqual([sales, audit]);
  expect(describeSchemas("shop", [sales, audit], [sales, audit])).toEqual([]);
});

test("an owner that somebody has changed comes back, and so does a right", () => {
  const there = [{ ...sales, owner: "by_hand", usage: [] }];
  expect(schemaChanges([sales], there)).toBe(
    'ALTER SCHEMA "sales" OWNER TO "app";\nGRANT USAGE ON SCHEMA "sales" TO "reader";\n',
  );
  const found = foundSchemas([sales], there);
  expect(found).toEqual([{ ...sales, owner: "by_hand", usage: [] }]);
  expect(describeSchemas("shop", found, [sales])).toEqual([
    "schema sales of database shop: its owner is app, not by_hand; reader may use it. By SQL, no service is touched",
  ]);
});

test("an owner needs no grant in its own schema", () => {
  const own = { ...sales, usage: ["app"], create: ["app"] };
  expect(schemaChanges([own], [])).toBe('CREATE SCHEMA "sales" AUTHORIZATION "app";\n');
  expect(foundSchemas([own], [{ ...sales, usage: [], create: [] }])).toEqual([own]);
});
