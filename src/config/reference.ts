import { z } from "zod";
import { settings } from "./schema";

// What can be set, for editors and readers: both follow from the schema that checks the settings.

/** The part of JSON Schema that zod writes. */
interface Schema {
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: { readonly [name: string]: Schema };
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** Draft 7, which the YAML language server of editors knows best. */
const DRAFT = { target: "draft-7", $schema: "http://json-schema.org/draft-07/schema#" } as const;

interface Parts {
  readonly hosts: Schema;
  readonly ssh: Schema;
  readonly cluster: Schema;
}

function parts(): Parts {
  const { properties } = z.toJSONSchema(settings, {
    io: "input",
    target: DRAFT.target,
    override: ({ jsonSchema }) => {
      // The limits of JavaScript's numbers are no limits of a setting.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  return properties as unknown as Parts;
}

/** JSON Schema of a stack file, as far as pgherd reads it: Pulumi's own keys and those of other programs may be there. */
export function jsonSchema(): object {
  const { hosts, ssh, cluster } = parts();
  return {
    $schema: DRAFT.$schema,
    title: "Stack file of pgherd",
    type: "object",
    properties: {
      config: {
        type: "object",
        properties: { "pgherd:hosts": hosts, "pgherd:ssh": ssh, "pgherd:cluster": cluster },
        required: ["pgherd:hosts", "pgherd:cluster"],
      },
    },
    required: ["config"],
  };
}

/** Every setting in Markdown, a table for each block: name, default and meaning. */
export function settingsTables(): string {
  const { hosts, ssh, cluster } = parts();
  const blocks = Object.entries(cluster.properties ?? {}).flatMap(([name, schema]) => {
    const inner = blocksOf(schema);
    const [first] = inner;
    if (!first) return [];
    const tables = inner.map(({ block }) =>
      inner.length > 1 ? `${block.description}\n\n${table(rows(block))}` : table(rows(block)),
    );
    return [`#### \`${name}${first.suffix}\``, ...tables];
  });
  return [
    "### `pgherd:hosts` — by name",
    ...blocksOf(hosts).map(({ block }) => table(rows(block))),
    "### `pgherd:ssh`",
    table(rows(ssh)),
    "### `pgherd:cluster`",
    table(ownRows(cluster)),
    ...blocks,
  ].join("\n\n");
}

interface Row {
  readonly setting: string;
  readonly default: string;
  readonly meaning: string;
}

/** All settings of a block, those of inner blocks by their path: `ports.primary`, `users[].name`. */
function rows(block: Schema, path = ""): Row[] {
  return ownRows(block, path).flatMap((row, i) => {
    const schema = Object.values(block.properties ?? {})[i] as Schema;
    const [only, ...others] = blocksOf(schema);
    // Several forms of one setting would need tables of their own: its description names them.
    if (!only || others.length > 0) return [row];
    return [row, ...rows(only.block, `${row.setting}${only.suffix}.`)];
  });
}

function ownRows({ properties = {}, required = [] }: Schema, path = ""): Row[] {
  return Object.entries(properties).map(([name, schema]) => ({
    setting: `${path}${name}`,
    ...described(schema, required.includes(name)),
  }));
}

/** The forms of a setting that are blocks of settings, with what leads from it to them: `""`, `[]` or `.NAME`. */
function blocksOf(schema: Schema): { suffix: string; block: Schema }[] {
  const below = (suffix: string, inner: Schema) =>
    blocksOf(inner).map(({ suffix: rest, block }) => ({ suffix: `${suffix}${rest}`, block }));
  if (schema.properties) return [{ suffix: "", block: schema }];
  if (schema.items) return below("[]", schema.items);
  if (typeof schema.additionalProperties === "object")
    return below(".NAME", schema.additionalProperties);
  return [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((form) => below("", form));
}

/** A default that depends on something is no value: it stands at the description's end, after `Default:`. */
function described(schema: Schema, required: boolean): Omit<Row, "setting"> {
  const [, text = "", said] = /^(.*?)(?: ?Default: (.*)\.)?$/s.exec(schema.description ?? "") ?? [];
  const values = schema.enum ?? ("const" in schema ? [schema.const] : []);
  const choice =
    values.length === 0
      ? ""
      : ` ${values.length > 1 ? "One of" : "Only"} ${values.map(code).join(", ")}.`;
  return {
    default: required ? "required" : (said ?? shownDefault(schema)),
    meaning: `${text}${choice}`,
  };
}

function shownDefault(schema: Schema): string {
  const { default: value } = schema;
  if (value === undefined) return "none";
  if (typeof value !== "object" || value === null) return code(value);
  if (blocksOf(schema).some(({ suffix }) => suffix === "")) return "see below";
  return Object.values(value).map(code).join(", ") || "none";
}

function code(value: unknown): string {
  return `\`${String(value)}\``;
}

function table(entries: readonly Row[]): string {
  const lines = entries.map((row) => [code(row.setting), row.default, row.meaning]);
  return [["Setting", "Default", "Meaning"], ["---", "---", "---"], ...lines]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}
