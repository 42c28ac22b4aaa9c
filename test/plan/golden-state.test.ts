import { createHash } from "node:crypto";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect, test, vi } from "vitest";
import { GIVEN_SECRETS } from "../../src/config/parse";
import { allRegistered, isSecret, recordResources, type Registered, urnOf } from "../registered";
import { STACKS } from "../stacks";

// What an existing stack holds in its state. A change here is what the next `pulumi up` of such a stack does to its hosts:
// none, after a change that only moves code. Where it is meant:
//   npx vitest run --config test/vitest.config.mts --project unit test/plan/golden-state -u

vi.setConfig({ testTimeout: 120_000 });

const GOLDEN = join(import.meta.dirname, "golden-state");

test.each(Object.keys(STACKS))(
  "an existing stack %s has in its state what the program asks for",
  async (name) => {
    const { registered, outputs } = await run(name, STACKS[name]?.() ?? {});
    const resources = registered
      .map((one) => [urnOf(one), ...linesOf(one)].join("\n"))
      .sort((a, b) => (a < b ? -1 : 1));
    const text = [`outputs ${outputs.join(" ")}`, ...resources].join("\n\n");
    await expect(`${text}\n`).toMatchFileSnapshot(join(GOLDEN, `${name}.txt`));
  },
);

/** The package's own program, as `pulumi up` runs it. */
async function run(name: string, settings: Record<string, unknown>) {
  const registered = await recordResources();
  const config = Object.entries(settings).map(([key, value]) => [
    `pgherd:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(
    Object.fromEntries(config),
    GIVEN_SECRETS.map((one) => `pgherd:${one}`),
  );
  // A module of its own for each stack; what it imports is loaded once.
  const program = `../../src/index?${name}`;
  const outputs = Object.entries((await import(/* @vite-ignore */ program)) as object);
  await allRegistered();
  return {
    registered,
    outputs: (await Promise.all(outputs.map(given))).flat().sort(),
  };
}

/** The name of an output that a stack has. */
function given([name, value]: [string, unknown]): Promise<string[]> {
  return new Promise((resolve) =>
    pulumi
      .output(value as string | undefined)
      .apply((known) => resolve(known === undefined ? [] : [name])),
  );
}

function linesOf(one: Registered): string[] {
  const { parent, provider, dependencies, deleteBeforeReplace, inputs } = one;
  const short = (urn: string) => urn.split("::")[3];
  return [
    ...(parent ? [`  parent ${short(parent)}`] : []),
    ...(provider ? [`  provider ${short(provider)}`] : []),
    ...(dependencies.length > 0 ? [`  dependsOn ${dependencies.map(short).sort().join(" ")}`] : []),
    ...(deleteBeforeReplace ? ["  deleteBeforeReplace"] : []),
    ...valueLines(" ", abridged(inputs)),
  ];
}

/** A line stays as short as a reader of a difference can take in. */
const LINE = 160;

function valueLines(path: string, value: unknown): string[] {
  const text = JSON.stringify(value);
  if (path !== " " && (text.length <= LINE || typeof value !== "object"))
    return [`${path} ${text}`];
  return Object.entries(value as object)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, part]) => valueLines(path === " " ? `  ${key}` : `${path}.${key}`, part));
}

/** Longer texts stand in golden files of their own. */
const LONG = 200;

/** The same with long texts by their digests, and secrets as such. */
function abridged(value: unknown): unknown {
  if (isSecret(value)) return `secret ${digest(JSON.stringify(value.value))}`;
  if (typeof value === "string") return value.length > LONG ? digest(value) : value;
  if (Array.isArray(value)) return value.map(abridged);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, abridged(part)]));
}

function digest(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
}
