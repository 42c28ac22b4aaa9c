import { randomBytes, randomInt, randomUUID } from "node:crypto";
import { genSaltSync, hash } from "bcryptjs";
import type { CheckFailure } from "../../src/rpc/server";
import { isUnknown, type Values } from "../../src/rpc/values";
import { checkString, completeString, generateString, stringInputs } from "./random-string";

/** One type of random value. */
export interface Kind {
  /** The version of the state's layout that the official plugin notes in `__meta`, if any. */
  readonly schemaVersion?: string;
  readonly inputs: readonly string[];
  /** What the state holds besides the inputs. */
  readonly outputs: readonly string[];
  readonly secrets: readonly string[];
  /** The inputs with the defaults in place of what is not given. */
  complete(inputs: Values): Values;
  check(inputs: Values): CheckFailure[];
  generate(inputs: Values): Promise<{ id: string; outputs: Values }>;
  /** The state of a value that was made elsewhere, as in `pulumi import`. */
  import(id: string): Promise<{ id: string; inputs: Values; outputs: Values }>;
}

const password: Kind = {
  schemaVersion: "3",
  inputs: stringInputs,
  outputs: ["id", "result", "bcryptHash"],
  secrets: ["result", "bcryptHash"],
  complete: completeString,
  check: checkString,
  async generate(inputs) {
    return passwordOf(generateString(inputs));
  },
  async import(value) {
    return { ...(await passwordOf(value)), inputs: completeString({ length: value.length }) };
  },
};

const string: Kind = {
  schemaVersion: "2",
  inputs: stringInputs,
  outputs: ["id", "result"],
  secrets: [],
  complete: completeString,
  check: checkString,
  async generate(inputs) {
    const result = generateString(inputs);
    return { id: result, outputs: { id: result, result } };
  },
  async import(value) {
    const inputs = completeString({ length: value.length });
    return { id: value, inputs, outputs: { id: value, result: value } };
  },
};

const id: Kind = {
  inputs: ["keepers", "byteLength", "prefix"],
  outputs: ["id", "b64Url", "b64Std", "hex", "dec"],
  secrets: [],
  complete: present,
  check: (inputs) => atLeastOne("byteLength", inputs),
  async generate({ byteLength, prefix }) {
    return idOf(randomBytes(byteLength as number), (prefix as string | undefined) ?? "");
  },
  async import(value) {
    const comma = value.lastIndexOf(",");
    const prefix = value.slice(0, Math.max(comma, 0));
    const bytes = Buffer.from(value.slice(comma + 1), "base64url");
    const inputs = { byteLength: bytes.length, ...(prefix ? { prefix } : {}) };
    return { ...idOf(bytes, prefix), inputs };
  },
};

const bytes: Kind = {
  inputs: ["keepers", "length"],
  outputs: ["base64", "hex"],
  secrets: ["base64", "hex"],
  complete: present,
  check: (inputs) => atLeastOne("length", inputs),
  async generate({ length }) {
    return bytesOf(randomBytes(length as number));
  },
  async import(value) {
    const content = Buffer.from(value, "base64");
    return { ...bytesOf(content), inputs: { length: content.length } };
  },
};

const integer: Kind = {
  inputs: ["keepers", "min", "max", "seed"],
  outputs: ["id", "result"],
  secrets: [],
  complete: present,
  check({ min, max, seed }) {
    if (seed !== undefined && seed !== null) {
      const reason =
        "expected no seed: pgherd's stand-in for the random plugin is never repeatable";
      return [{ property: "seed", reason }];
    }
    if (isUnknown(min) || isUnknown(max) || Number(min) <= Number(max)) return [];
    return [{ property: "min", reason: `expected at most max, ${max}, got ${min}` }];
  },
  async generate({ min, max }) {
    const result = randomInt(min as number, (max as number) + 1);
    return { id: String(result), outputs: { id: String(result), result } };
  },
  async import(value) {
    const [result = "", min = "", max = ""] = value.split(",");
    return {
      id: result,
      inputs: { min: Number(min), max: Number(max) },
      outputs: { id: result, result: Number(result) },
    };
  },
};

const uuid: Kind = {
  inputs: ["keepers"],
  outputs: ["id", "result"],
  secrets: [],
  complete: present,
  check: () => [],
  async generate() {
    const result = randomUUID();
    return { id: result, outputs: { id: result, result } };
  },
  async import(value) {
    return { id: value, inputs: {}, outputs: { id: value, result: value } };
  },
};

/** By type token. Pets, shuffles and the dated UUIDs are not here: nothing of pgherd needs them. */
export const kinds: { readonly [type: string]: Kind } = {
  "random:index/randomPassword:RandomPassword": password,
  "random:index/randomString:RandomString": string,
  "random:index/randomId:RandomId": id,
  "random:index/randomBytes:RandomBytes": bytes,
  "random:index/randomInteger:RandomInteger": integer,
  "random:index/randomUuid:RandomUuid": uuid,
};

const BCRYPT_COST = 10;

async function passwordOf(result: string) {
  // bcryptjs writes the newer name of the same algorithm; states of the official plugin say 2a.
  const salt = genSaltSync(BCRYPT_COST).replace("$2b$", "$2a$");
  return { id: "none", outputs: { id: "none", result, bcryptHash: await hash(result, salt) } };
}

function idOf(content: Buffer, prefix: string) {
  const id = content.toString("base64url");
  const hex = content.toString("hex");
  return {
    id,
    outputs: {
      id,
      b64Url: prefix + id,
      b64Std: prefix + content.toString("base64"),
      hex: prefix + hex,
      dec: prefix + BigInt(`0x${hex}`).toString(),
    },
  };
}

function bytesOf(content: Buffer) {
  const base64 = content.toString("base64");
  return { id: base64, outputs: { base64, hex: content.toString("hex") } };
}

function present(inputs: Values): Values {
  return Object.fromEntries(Object.entries(inputs).filter(([, value]) => value !== null));
}

function atLeastOne(property: string, inputs: Values): CheckFailure[] {
  const value = inputs[property];
  if (isUnknown(value) || (Number.isInteger(value) && (value as number) >= 1)) return [];
  return [{ property, reason: `expected a whole number of at least 1, got ${value ?? "nothing"}` }];
}
