import type { z } from "zod";
import { ConfigError } from "../errors";
import { brokenRules } from "./rules";
import { settings, type Settings } from "./schema";

/**
 * The settings of a stack, checked and with defaults filled in.
 * @param raw the values of `pgherd:hosts`, `pgherd:ssh` and `pgherd:cluster`.
 * @throws ConfigError with every problem there is, each with its path, what was expected and what was found.
 */
export function parseSettings(raw: unknown): Settings {
  const result = settings.safeParse(raw);
  if (!result.success)
    throw new ConfigError(result.error.issues.flatMap((issue) => describe(issue, raw)));
  const problems = brokenRules(result.data);
  if (problems.length > 0) throw new ConfigError(problems);
  return result.data;
}

function describe(issue: z.core.$ZodIssue, raw: unknown): string[] {
  const path = renderPath(issue.path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map(
      (key) => `${renderPath([...issue.path, key])}: no such setting. Remove it.`,
    );
  }
  if (issue.code === "invalid_union") {
    const nested = issue.errors.flatMap((branch) => branch.map((one) => one.message));
    const wanted = [...new Set(nested)].join("; or ");
    return [`${path}: ${wanted || issue.message}, got ${show(at(raw, issue.path))}.`];
  }
  const found = at(raw, issue.path);
  return [
    `${path}: ${lowerFirst(issue.message.replace(/^Invalid [a-z]+: /, ""))}${found === undefined ? "" : `, got ${show(found)}`}.`,
  ];
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
    (value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part],
    raw,
  );
}

const SHOWN_CHARACTERS = 60;

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
