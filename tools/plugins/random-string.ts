import { randomInt } from "node:crypto";
import type { CheckFailure } from "../../src/rpc/server";
import { isUnknown, type Values } from "../../src/rpc/values";

/** What RandomPassword and RandomString take. */
export const stringInputs = [
  "keepers",
  "length",
  "special",
  "upper",
  "lower",
  "number",
  "numeric",
  "minNumeric",
  "minUpper",
  "minLower",
  "minSpecial",
  "overrideSpecial",
] as const satisfies string[];

/** The inputs with the official defaults. `number` is the old name of `numeric`: the state holds both. */
export function completeString(inputs: Values): Values {
  const given = Object.fromEntries(Object.entries(inputs).filter(([, value]) => value !== null));
  const numeric = given.numeric ?? given.number ?? true;
  return {
    special: true,
    upper: true,
    lower: true,
    minNumeric: 0,
    minUpper: 0,
    minLower: 0,
    minSpecial: 0,
    ...given,
    number: numeric,
    numeric,
  };
}

/** Refuses what no string can satisfy. What is unknown as yet is taken to be right. */
export function checkString(inputs: Values): CheckFailure[] {
  if (isUnknown(inputs)) return [];
  const { number, numeric } = inputs;
  if (typeof number === "boolean" && typeof numeric === "boolean" && number !== numeric) {
    const reason = `expected the same as numeric, ${numeric}, got ${number}; number is its old name`;
    return [{ property: "number", reason }];
  }
  const complete = completeString(inputs);
  const { length } = complete;
  const needed = classes(complete).reduce((sum, { minimum }) => sum + minimum, 0);
  const least = Math.max(1, needed);
  if (!Number.isInteger(length) || (length as number) < least) {
    const why = needed > 1 ? " (minUpper + minLower + minNumeric + minSpecial)" : "";
    const reason = `expected a whole number of at least ${least}${why}, got ${length ?? "nothing"}`;
    return [{ property: "length", reason }];
  }
  if ((length as number) > needed && allowed(complete).length === 0) {
    const reason = "expected at least one of upper, lower, numeric and special, got none";
    return [{ property: "length", reason }];
  }
  return [];
}

/** A random string of the given, complete inputs: the minimum of each class, the rest from all, in random order. */
export function generateString(inputs: Values): string {
  const characters = classes(inputs).flatMap(({ set, minimum }) => pick(set, minimum));
  characters.push(...pick(allowed(inputs), (inputs.length as number) - characters.length));
  for (let last = characters.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [characters[last], characters[other]] = [characters[other]!, characters[last]!];
  }
  return characters.join("");
}

interface CharacterClass {
  readonly set: string[];
  readonly used: boolean;
  readonly minimum: number;
}

function classes(inputs: Values): CharacterClass[] {
  const { overrideSpecial } = inputs;
  const special =
    typeof overrideSpecial === "string" && overrideSpecial ? overrideSpecial : SPECIAL;
  const known: [string, string, string][] = [
    [UPPER, "upper", "minUpper"],
    [LOWER, "lower", "minLower"],
    [NUMERIC, "numeric", "minNumeric"],
    [special, "special", "minSpecial"],
  ];
  return known.map(([set, used, minimum]) => ({
    set: [...set],
    used: inputs[used] === true,
    minimum: inputs[minimum] as number,
  }));
}

const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER = "abcdefghijklmnopqrstuvwxyz";
const NUMERIC = "0123456789";
const SPECIAL = "!@#$%&*()-_=+[]{}<>:?";

function allowed(inputs: Values): string[] {
  return classes(inputs).flatMap(({ set, used }) => (used ? set : []));
}

function pick(set: string[], count: number): string[] {
  return Array.from({ length: count }, () => set[randomInt(set.length)]!);
}
