import { compare } from "bcryptjs";
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { UNKNOWN, type Values } from "../../src/rpc/values";
import { randomProvider } from "../../tools/plugins/random-provider";
import { secret, serveFor, type ProviderClient } from "./provider-client";

const PASSWORD = "random:index/randomPassword:RandomPassword";
const STRING = "random:index/randomString:RandomString";
const ID = "random:index/randomId:RandomId";
const BYTES = "random:index/randomBytes:RandomBytes";
const INTEGER = "random:index/randomInteger:RandomInteger";
const UUID = "random:index/randomUuid:RandomUuid";

let client: ProviderClient;
afterEach(() => client.close());

async function create(type: string, inputs: Values) {
  client = await serveFor(randomProvider, type);
  const checked = await client.check(inputs);
  expect(checked.failures).toEqual({});
  expect(checked.inputs).toEqual(inputs);
  return client.create(inputs);
}

function revealed(value: unknown): string {
  return (value as { value: string }).value;
}

describe("RandomPassword", () => {
  test("has the state of the official plugin, its secrets wrapped", async () => {
    const { id, state } = await create(PASSWORD, { length: 16, minUpper: 2 });
    expect(id).toBe("none");
    const { result, bcryptHash, ...rest } = state;
    expect(rest).toEqual({
      __meta: '{"schema_version":"3"}',
      id: "none",
      length: 16,
      lower: true,
      upper: true,
      special: true,
      number: true,
      numeric: true,
      minLower: 0,
      minNumeric: 0,
      minSpecial: 0,
      minUpper: 2,
    });
    expect(result).toEqual(secret(expect.stringMatching(/^.{16}$/) as string));
    expect(revealed(bcryptHash)).toMatch(/^\$2a\$10\$/);
    expect(await compare(revealed(result), revealed(bcryptHash))).toBe(true);
  });

  test("holds at least the minimum of each class, and the official special characters only", async () => {
    const inputs = { length: 12, minLower: 3, minUpper: 3, minNumeric: 3, minSpecial: 3 };
    client = await serveFor(randomProvider, STRING);
    for (let i = 0; i < 20; i++) {
      const result = String((await client.create(inputs)).state.result);
      for (const set of [/[a-z]/g, /[A-Z]/g, /[0-9]/g, /[!@#$%&*()\-_=+[\]{}<>:?]/g])
        expect(result.match(set)).toHaveLength(3);
    }
  });

  test("puts the characters of all classes in every place", async () => {
    const firsts = new Set<string>();
    client = await serveFor(randomProvider, STRING);
    for (let i = 0; i < 64; i++) {
      const inputs = { length: 2, special: false, upper: false, minLower: 1, minNumeric: 1 };
      const { state } = await client.create(inputs);
      firsts.add(/[a-z]/.test(String(state.result)[0]!) ? "letter" : "digit");
    }
    expect(firsts).toEqual(new Set(["letter", "digit"]));
  });

  test.each<[string, Values, RegExp]>([
    ["special off", { length: 40, special: false }, /^[A-Za-z0-9]{40}$/],
    ["numeric off", { length: 40, special: false, numeric: false }, /^[A-Za-z]{40}$/],
    ["number, its old name, off", { length: 40, special: false, number: false }, /^[A-Za-z]{40}$/],
    [
      "own special characters",
      { length: 40, upper: false, lower: false, numeric: false, overrideSpecial: "_-" },
      /^[_-]{40}$/,
    ],
  ])("uses only what is allowed: %s", async (_, inputs, expected) => {
    expect((await create(STRING, inputs)).id).toMatch(expected);
  });

  test.each<[Values, { [property: string]: string }]>([
    [{}, { length: "expected a whole number of at least 1, got nothing" }],
    [{ length: 0 }, { length: "expected a whole number of at least 1, got 0" }],
    [
      { length: 3, minLower: 2, minNumeric: 2 },
      {
        length:
          "expected a whole number of at least 4 (minUpper + minLower + minNumeric + minSpecial), got 3",
      },
    ],
    [
      { length: 3, number: true, numeric: false },
      { number: "expected the same as numeric, false, got true; number is its old name" },
    ],
    [
      { length: 3, upper: false, lower: false, numeric: false, special: false },
      { length: "expected at least one of upper, lower, numeric and special, got none" },
    ],
  ])("refuses %j", async (inputs, failures) => {
    client = await serveFor(randomProvider, PASSWORD);
    expect((await client.check(inputs)).failures).toEqual(failures);
  });

  test("is made in an update only: a preview leaves it unknown", async () => {
    client = await serveFor(randomProvider, PASSWORD);
    const { state } = await client.create({ length: UNKNOWN }, true);
    expect(revealed(state.result)).toBe(UNKNOWN);
    expect(revealed(state.bcryptHash)).toBe(UNKNOWN);
  });

  test("is made anew by any other argument, and after the new one is there the old one goes", async () => {
    const { state } = await create(PASSWORD, { length: 16, keepers: { a: "1" } });
    const plain = { ...state, result: revealed(state.result) };
    for (const [inputs, changed] of [
      [{ length: 17, keepers: { a: "1" } }, "length"],
      [{ length: 16, keepers: { a: "2" } }, "keepers"],
      [{ length: 16, keepers: { a: "1" }, special: false }, "special"],
      [{ length: 16, keepers: { a: UNKNOWN } }, "keepers"],
    ] as [Values, string][])
      expect(await client.diff(plain, inputs)).toEqual({
        changes: [changed],
        replaces: [changed],
        deleteBeforeReplace: false,
      });
  });

  test("stays as it is when defaults are spelled out, or an empty overrideSpecial is dropped", async () => {
    const { state } = await create(PASSWORD, { length: 16, overrideSpecial: "" });
    const spelled = { length: 16, overrideSpecial: "", lower: true, numeric: true, minUpper: 0 };
    expect((await client.diff(state, spelled)).changes).toEqual([]);
    expect(await client.diff(state, { length: 16 })).toMatchObject({
      changes: ["overrideSpecial"],
      replaces: [],
    });
    const updated = await client.update("none", state, { length: 16 });
    expect(updated).not.toHaveProperty("overrideSpecial");
    expect(updated.result).toBeDefined();
  });

  test("is imported by its value", async () => {
    client = await serveFor(randomProvider, PASSWORD);
    const imported = await client.read("s3cret", {});
    expect(imported.id).toBe("none");
    expect(revealed(imported.state.result)).toBe("s3cret");
    expect((await client.diff(imported.state, { length: 6 })).changes).toEqual([]);
  });
});

describe("the other types", () => {
  test("RandomString is its own id, and no secret", async () => {
    const { id, state } = await create(STRING, { length: 8, special: false });
    expect(state).toMatchObject({ __meta: '{"schema_version":"2"}', id, result: id });
    expect(id).toMatch(/^[A-Za-z0-9]{8}$/);
  });

  test("RandomId shows the same bytes in five ways, the prefix before each but the id", async () => {
    const { id, state } = await create(ID, { byteLength: 4, prefix: "p-" });
    const hex = Buffer.from(id, "base64url").toString("hex");
    expect(state).toEqual({
      id,
      byteLength: 4,
      prefix: "p-",
      b64Url: `p-${id}`,
      b64Std: `p-${Buffer.from(hex, "hex").toString("base64")}`,
      hex: `p-${hex}`,
      dec: `p-${Number.parseInt(hex, 16)}`,
    });
  });

  test("RandomBytes are secret", async () => {
    const { id, state } = await create(BYTES, { length: 16 });
    const hex = Buffer.from(id, "base64").toString("hex");
    expect(state).toEqual({ length: 16, base64: secret(id), hex: secret(hex) });
  });

  test("RandomInteger lies between its bounds, both included", async () => {
    const { id, state } = await create(INTEGER, { min: 5, max: 6 });
    expect([5, 6]).toContain(state.result);
    expect(id).toBe(String(state.result));
    expect((await client.check({ min: 7, max: 6 })).failures).toEqual({
      min: "expected at most max, 6, got 7",
    });
    expect((await client.check({ min: 1, max: 6, seed: "x" })).failures).toHaveProperty("seed");
  });

  test("RandomUuid is a UUID", async () => {
    const { id, state } = await create(UUID, {});
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(state).toEqual({ id, result: id });
  });

  test("what is not here is refused with what to do", async () => {
    client = await serveFor(randomProvider, "random:index/randomPet:RandomPet");
    await expect(client.check({})).rejects.toThrow(
      /RandomPet: expected one of random:index.*\nNext: pulumi plugin install resource random v4.21.2/s,
    );
  });
});

describe("states of the official plugin", () => {
  const states = JSON.parse(
    readFileSync(new URL("official-states.json", import.meta.url), "utf8"),
  ) as { type: string; id: string; inputs: Values; outputs: Values }[];

  test.each(states.filter(({ type }) => type.startsWith("random:")))(
    "$type opens without a difference",
    async ({ type, inputs, outputs, id }) => {
      client = await serveFor(randomProvider, type);
      expect((await client.check(inputs)).failures).toEqual({});
      expect((await client.diff(outputs, inputs)).changes).toEqual([]);
      expect(await client.read(id, outputs)).toMatchObject({ id, state: outputs });
      const made = await client.create(inputs);
      expect(Object.keys(made.state).sort()).toEqual(Object.keys(outputs).sort());
    },
  );
});
