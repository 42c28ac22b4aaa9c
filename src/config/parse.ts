import type { z } from "zod";
import { ConfigError } from "../errors";
import { LOST_KEY } from "./blocks/basics";
import { brokenRules } from "./rules";
import { settings, type Settings } from "./schema";

/**
 * The settings of a stack, checked and with defaults filled in.
 * @param raw the values of `pgherd:hosts`, `pgherd:ssh` and `pgherd:cluster`.
 * @throws ConfigError with every problem there is, each with its path, what was expected and what was found.
 */
export function parseSettings(raw: unknown): Settings {
  // The schema would leave it out without a word.
  const lost = lostKeys(raw);
  if (lost.length > 0)
    throw new ConfigError(lost.map((path) => `${renderPath(path)}: ${NO_SETTING}`));
  const result = settings.safeParse(raw);
  if (!result.success)
    throw new ConfigError(result.error.issues.flatMap((issue) => describe(issue, raw)));
  const problems = brokenRules(result.data);
  if (problems.length > 0) throw new ConfigError(problems);
  return result.data;
}

const NO_SETTING = "no such setting. Mend its name or remove it.";

function lostKeys(raw: unknown, path: readonly PropertyKey[] = []): (readonly PropertyKey[])[] {
  if (Array.isArray(raw)) return raw.flatMap((one, i) => lostKeys(one, [...path, i]));
  if (raw === null || typeof raw !== "object") return [];
  return Object.entries(raw).flatMap(([key, one]) =>
    key === LOST_KEY ? [[...path, key]] : lostKeys(one, [...path, key]),
  );
}

function describe(issue: z.core.$ZodIssue, raw: unknown): string[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `${renderPath([...issue.path, key])}: ${NO_SETTING}`);
  }
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const branches = closest(issue.errors);
    const [only] = branches;
    if (only && (branches.length === 1 || only.some(({ path }) => path.length > 0))) {
      return only.flatMap((one) =>
        describe({ ...one, path: [...issue.path, ...one.path] } as z.core.$ZodIssue, raw),
      );
    }
    return [problem(issue.path, branches.flat().map(expectation).join(", or "), raw)];
  }
  if (issue.code === "invalid_key") {
    const key = JSON.stringify(issue.path.at(-1));
    const wanted = issue.issues.map(expectation).join(", or ");
    return [
      `${renderPath(issue.path.slice(0, -1))}: expected each name to be ${wanted}, got ${key}.`,
    ];
  }
  return [problem(issue.path, expectation(issue), raw)];
}

/** The alternatives that the value comes nearest to: what the user most likely meant. */
function closest(branches: readonly z.core.$ZodIssue[][]): z.core.$ZodIssue[][] {
  const distances = branches.map((issues) =>
    issues.reduce(
      (sum, issue) => sum + (issue.code === "unrecognized_keys" ? issue.keys.length : 1),
      0,
    ),
  );
  const near = branches.filter((_, i) => distances[i] === Math.min(...distances));
  // Of what is equally near, the value has at least the right kind for these.
  const ofKind = near.filter((issues) => !issues.some(isOtherKind));
  return ofKind.length > 0 ? ofKind : near;
}

function isOtherKind({ code, path }: z.core.$ZodIssue): boolean {
  return path.length === 0 && (code === "invalid_type" || code === "invalid_value");
}

function problem(path: readonly PropertyKey[], wanted: string, raw: unknown): string {
  return `${renderPath(path)}: expected ${wanted}, got ${show(at(raw, path))}.`;
}

const KINDS: { readonly [type: string]: string } = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a block of settings",
  record: "a block of settings",
};

/** What was expected, in words. The schema's own texts are such words already. */
function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return KINDS[issue.expected] ?? issue.expected;
    case "invalid_value":
      return issue.values.map((value) => JSON.stringify(value)).join(" or ");
    case "too_small":
      if (issue.origin === "array") return `a list of ${String(issue.minimum)} or more`;
      return issue.origin === "string" ? "a text" : `${String(issue.minimum)} or more`;
    case "too_big":
      return `${String(issue.maximum)} or less`;
    case "invalid_union":
      // Of a discriminator; the issue's type does not tell of it (zod 4.6).
      return "options" in issue && Array.isArray(issue.options)
        ? issue.options
            .filter((value) => value !== undefined)
            .map((value) => JSON.stringify(value))
            .join(" or ")
        : issue.message;
    default:
      return issue.message;
  }
}

/** `["cluster", "members", 2, "host"]` becomes `pgherd:cluster.members[2].host`. */
export function renderPath(path: readonly PropertyKey[]): string {
  const [top, ...rest] = path;
  return rest.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : `${text}.${String(part)}`),
    `pgherd:${String(top)}`,
  );
}

function at(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      value !== null && typeof value === "object" && Object.hasOwn(value, part)
        ? (value as Record<PropertyKey, unknown>)[part]
        : undefined,
    raw,
  );
}

const SHOWN_CHARACTERS = 60;

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
