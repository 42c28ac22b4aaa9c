import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { jsonSchema, settingsTables } from "../../src/config/reference";
import { referenceTexts } from "../../tools/reference/texts";

const ROOT = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

const validate = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true }).compile(
  jsonSchema(),
);

interface StackFile {
  config: {
    "pgherd:hosts": { [host: string]: { [setting: string]: unknown } };
    "pgherd:ssh"?: { [setting: string]: unknown };
    "pgherd:cluster": { [setting: string]: unknown };
  };
}

/** What the schema says against the lab's stack file after this change. */
function mistakes(change: (stack: StackFile) => void): string[] {
  const stack = parse(read("stacks/Pulumi.lab.yaml")) as StackFile;
  change(stack);
  validate(stack);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

test.each(["docs/configuration.md", "stacks/pgherd.schema.json"])(
  "%s is up to date with the schema (npm run reference)",
  async (path) => {
    const texts = await referenceTexts(ROOT);
    expect(read(path)).toBe(texts[path]);
  },
);

test.each(["lab", "example"])("the %s stack is valid", (stack) => {
  validate(parse(read(`stacks/Pulumi.${stack}.yaml`)));
  expect(validate.errors).toBeNull();
});

test.each(["lab", "example"])("an editor finds the schema from the %s stack", (stack) => {
  const [first] = read(`stacks/Pulumi.${stack}.yaml`).split("\n");
  expect(first).toBe("# yaml-language-server: $schema=pgherd.schema.json");
});

test("Pulumi's own keys and settings of other programs may be there", () => {
  const found = mistakes((stack) => {
    Object.assign(stack, { encryptionsalt: "v1:salt", secretsprovider: "awskms://alias/x" });
    Object.assign(stack.config, { "aws:region": "eu-central-1" });
  });
  expect(found).toEqual([]);
});

test("a mistyped setting is not valid", () => {
  const wrong = "must NOT have additional properties";
  expect(mistakes(({ config }) => (config["pgherd:cluster"].replicaton = {}))).toEqual([
    `/config/pgherd:cluster ${wrong}`,
  ]);
  expect(mistakes(({ config }) => (config["pgherd:ssh"] = { sudoo: true }))).toEqual([
    `/config/pgherd:ssh ${wrong}`,
  ]);
  expect(mistakes(({ config }) => (config["pgherd:hosts"].db1!.adress = "10.0.0.1"))).toEqual([
    `/config/pgherd:hosts/db1 ${wrong}`,
  ]);
});

test("a wrong type or value is not valid", () => {
  const cluster = (name: string, value: unknown) =>
    mistakes(({ config }) => (config["pgherd:cluster"][name] = value));
  expect(cluster("postgresql", { port: "5432" })).toEqual([
    "/config/pgherd:cluster/postgresql/port must be integer",
  ]);
  expect(cluster("replication", { mode: "sync" })).toEqual([
    "/config/pgherd:cluster/replication/mode must be equal to one of the allowed values",
  ]);
  expect(cluster("name", "Demo Cluster")).toHaveLength(1);
  expect(cluster("members", [])).toHaveLength(1);
});

test("a missing required setting is not valid", () => {
  expect(mistakes(({ config }) => delete config["pgherd:cluster"].members)).toEqual([
    "/config/pgherd:cluster must have required property 'members'",
  ]);
  expect(mistakes(({ config }) => delete config["pgherd:hosts"].db1!.address)).toEqual([
    "/config/pgherd:hosts/db1 must have required property 'address'",
  ]);
  expect(mistakes((stack) => delete (stack as { config?: unknown }).config)).toEqual([
    " must have required property 'config'",
  ]);
});

test("every setting has a description", () => {
  const bare: string[] = [];
  const walk = (path: string, node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (key === "properties") {
        for (const [name, setting] of Object.entries(value as { [name: string]: object })) {
          if (!("description" in setting)) bare.push(`${path}/${name}`);
          walk(`${path}/${name}`, setting);
        }
      } else walk(path, value);
    }
  };
  walk("", (jsonSchema() as { properties: { config: object } }).properties.config);
  expect(bare).toEqual([]);
});

const row = (setting: string) =>
  settingsTables()
    .split("\n")
    .find((line) => line.startsWith(`| \`${setting}\` `));

test("the tables name each setting by its path, with default and meaning", () => {
  expect(row("connectTimeout")).toBe(
    "| `connectTimeout` | `ConnectTimeout` of your SSH configuration, else `10` | Seconds to wait for a connection. |",
  );
  expect(row("ports.primary")).toBe("| `ports.primary` | `5000` | Reads and writes. |");
  expect(row("users[].name")).toBe("| `users[].name` | required | Login name. |");
  expect(row("ssh")).toBe("| `ssh` | `0.0.0.0/0`, `::/0` | Networks that may log in by SSH. |");
});

test("a default that depends on something is told in words", () => {
  expect(row("primaryStartTimeout")).toBe(
    "| `primaryStartTimeout` | twice ttl | Seconds that a crashed primary has to start. |",
  );
});

test("the values of a choice are listed", () => {
  expect(row("transparentHugePages")).toContain("One of `never`, `madvise`, `always`, `keep`.");
});
