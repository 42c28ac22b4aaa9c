import { z } from "zod";
import { ConfigError } from "../errors";
import { LOST_KEY } from "./blocks/basics";
import { brokenRules } from "./rules";
import { understanding } from "./rules/report";
import { settings, type Settings } from "./schema";
import { existingDcs, givenDcs } from "../roles/dcs";
import { meantBy } from "../suggest";
import { formsOf, understood } from "./understood";

/**
 * The settings of a stack, checked and with defaults filled in.
 * @param raw the values of `pgherd:hosts`, `pgherd:ssh` and `pgherd:cluster`.
 * @throws ConfigError with every problem there is, each with its path, what was expected and what was found.
 */
export function parseSettings(raw: unknown): Settings {
  const { settings: parsed, problems } = checkSettings(raw);
  if (!parsed || problems.length > 0) throw new ConfigError(problems);
  return parsed;
}

/** What settings come to, and every problem with them; they are not to be used if there is one. */
export function checkSettings(raw: unknown): {
  readonly settings?: Settings;
  readonly problems: readonly string[];
  /** What else it needs, and what that is: `{ dcsPassword: "the password of cluster.dcs.username" }`. */
  readonly secrets: NeededSecrets;
} {
  const result = settings.safeParse(raw);
  const issues = result.error?.issues ?? [];
  const read = result.success ? result.data : understood(settings, raw);
  const problems = [
    // The schema would leave it out without a word.
    ...lostKeys(raw).map((path) => `${renderPath(path)}: ${NO_SETTING}`),
    ...withoutMeant(issues.flatMap(leaves), raw).flatMap((issue) => describe(issue, raw)),
    ...brokenRules(read),
  ];
  return {
    settings: result.data,
    problems: [...new Set(problems)],
    secrets: neededSecrets(read),
  };
}

/** Of what a stack says to pgherd what is no setting to be shown: its values are secrets. */
export const GIVEN_SECRETS = ["migrationPassword", "dcsPassword", "dcsToken", "dcsKey"] as const;
export type GivenSecret = (typeof GIVEN_SECRETS)[number];

/** Those that a cluster cannot do without, and what each of them is, as far as its settings are understood. */
function neededSecrets(settings: Settings): NeededSecrets {
  const needed: { [secret in GivenSecret]?: string } = {};
  understanding(() => {
    if (settings.cluster.migration?.method === "standbyCluster")
      needed.migrationPassword = "the password that the role replicator has on the old server";
  });
  understanding(() => {
    const { cluster } = settings;
    const dcs = givenDcs(cluster);
    if (!dcs) return;
    const path = existingDcs(cluster) ? "cluster.dcs" : "cluster.dcs.movedFrom";
    if ("username" in dcs && dcs.username !== undefined)
      needed.dcsPassword = `the password of ${path}.username`;
    if ("anonymous" in dcs && !dcs.anonymous)
      needed.dcsToken = `the token for what lies below ${path}.prefix, or ${path}.anonymous: true`;
    if (dcs.certificate !== undefined) needed.dcsKey = `the key of ${path}.certificate, as PEM`;
  });
  return needed;
}

type NeededSecrets = { readonly [secret in GivenSecret]?: string };

/** What a stack's `config` says to pgherd, by name: `hosts`, `cluster` and whatever else there is. */
export function rawSettings(config: { readonly [key: string]: unknown }): Record<string, unknown> {
  const own = Object.entries(config).flatMap(([key, value]): [string, unknown][] => {
    const [, name = ""] = /^pgherd:(.*)$/.exec(key) ?? [];
    return name === "" || isGivenSecret(name) ? [] : [[name, value]];
  });
  return Object.fromEntries(own);
}

function isGivenSecret(name: string): boolean {
  return (GIVEN_SECRETS as readonly string[]).includes(name);
}

const NO_SETTING = "no such setting. Mend its name or remove it.";

const OTHER_FORM =
  "it does not go with what else stands in this block, which has several forms. Remove one or the other.";

/** A setting that is there under a misspelt name is not told to be missing as well. */
function withoutMeant(issues: readonly z.core.$ZodIssue[], raw: unknown): z.core.$ZodIssue[] {
  const meant = issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.flatMap((key) => meantAt(issue.path, key)).map((key) => pathOf(issue.path, key))
      : [],
  );
  return issues.filter(
    ({ path }) => at(raw, path) !== undefined || !meant.includes(renderPath(path)),
  );
}

function pathOf(path: readonly PropertyKey[], key: string): string {
  return renderPath([...path, key]);
}

function lostKeys(raw: unknown, path: readonly PropertyKey[] = []): (readonly PropertyKey[])[] {
  if (Array.isArray(raw)) return raw.flatMap((one, i) => lostKeys(one, [...path, i]));
  if (raw === null || typeof raw !== "object") return [];
  return Object.entries(raw).flatMap(([key, one]) =>
    key === LOST_KEY ? [[...path, key]] : lostKeys(one, [...path, key]),
  );
}

/** Of a setting that has several forms, what is wrong with the one that it comes nearest to. */
function leaves(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
  const branches = closest(issue.errors);
  const [only] = branches;
  if (!only || (branches.length > 1 && !only.some(({ path }) => path.length > 0))) return [issue];
  return only
    .map((one) => together(one, branches))
    .flatMap((one) => leaves({ ...one, path: [...issue.path, ...one.path] } as z.core.$ZodIssue));
}

/** What a mark may be by any of the forms that it tells apart. */
function together(issue: z.core.$ZodIssue, branches: readonly z.core.$ZodIssue[][]) {
  if (issue.code !== "invalid_value") return issue;
  const values = branches.flat().flatMap((one) => {
    const same = one.code === "invalid_value" && renderPath(one.path) === renderPath(issue.path);
    return same ? one.values : [];
  });
  return { ...issue, values: [...new Set(values)] };
}

function describe(issue: z.core.$ZodIssue, raw: unknown): string[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `${pathOf(issue.path, key)}: ${noSetting(issue.path, key)}`);
  }
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const wanted = closest(issue.errors).flat().map(expectation);
    return [problem(issue.path, wanted.join(", or "), raw)];
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

function noSetting(path: readonly PropertyKey[], key: string): string {
  if (blocksAt(path).some(({ shape }) => Object.hasOwn(shape as object, key))) return OTHER_FORM;
  const [meant] = meantAt(path, key);
  const inner = meant ?? innerAt(path, key);
  return inner === undefined ? NO_SETTING : `no such setting. Did you mean ${inner}?`;
}

/** The setting of a block that a name without a meaning there most likely stands for. */
function meantAt(path: readonly PropertyKey[], key: string): string[] {
  const known = blocksAt(path).flatMap((block) => Object.keys(block.shape as object));
  return [meantBy(key, known) ?? []].flat();
}

/** Where a block that lies in this one has a setting of that name, if only one has: `postgresql.parameters`. */
function innerAt(path: readonly PropertyKey[], key: string): string | undefined {
  const found = blocksAt(path).flatMap(({ shape }) =>
    Object.entries(shape as Record<string, z.ZodType>).flatMap(([name, inner]) =>
      formsOf(inner).some((form) => form instanceof z.ZodObject && Object.hasOwn(form.shape, key))
        ? `${name}.${key}`
        : [],
    ),
  );
  return found.length === 1 ? found[0] : undefined;
}

/** The blocks of settings that may stand at a path. */
function blocksAt(path: readonly PropertyKey[]): z.ZodObject[] {
  const forms = path.reduce<z.ZodType[]>(
    (outer, part) =>
      outer.flatMap((form) => {
        const next =
          form instanceof z.ZodObject
            ? (form.shape as Record<PropertyKey, z.ZodType>)[part]
            : form instanceof z.ZodRecord
              ? (form.valueType as z.ZodType)
              : form instanceof z.ZodArray
                ? (form.element as z.ZodType)
                : undefined;
        return next ? formsOf(next) : [];
      }),
    formsOf(settings),
  );
  return forms.filter((form) => form instanceof z.ZodObject);
}

/** The alternatives that the value comes nearest to: what the user most likely meant. */
function closest(branches: readonly z.core.$ZodIssue[][]): z.core.$ZodIssue[][] {
  // A block with mistakes is still a block, however many there are: it is not nearer to `false`.
  const ofKind = branches.filter((issues) => !issues.some(isOtherKind));
  const meant = ofKind.length > 0 ? ofKind : branches;
  const distances = meant.map((issues) =>
    issues.reduce(
      (sum, issue) => sum + (issue.code === "unrecognized_keys" ? issue.keys.length : 1),
      0,
    ),
  );
  return meant.filter((_, i) => distances[i] === Math.min(...distances));
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
