import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cacheDir } from "../../src/lab/paths";

/** The folder of plugins that pgherd's own project names too. */
const PLUGINS = new URL("../../bin/provider", import.meta.url).pathname;

/** A project of its own with a stack in a folder: what `tools/setup` found or made runs it. */
let project: string;

beforeAll(async () => {
  project = fs.mkdtempSync(path.join(tmpdir(), "pgherd-toolchain-"));
  fs.mkdirSync(path.join(project, "state"));
  fs.symlinkSync(
    new URL("../../node_modules", import.meta.url).pathname,
    path.join(project, "node_modules"),
  );
  write(
    "Pulumi.yaml",
    `name: toolchain
runtime: { name: nodejs, options: { typescript: false, nodeargs: "--stack-size=900" } }
main: program/
plugins:
  providers:
    - { name: command, path: ${PLUGINS} }
    - { name: random, path: ${PLUGINS} }
`,
  );
  write("package.json", '{ "name": "toolchain", "private": true }');
  write(
    "program/index.js",
    `const pulumi = require("@pulumi/pulumi");
const { RandomPassword, RandomId } = require("@pulumi/random");
const { local } = require("@pulumi/command");
const config = new pulumi.Config();
const wrong = config.get("wrong");
if (wrong === "explained") {
  const error = new pulumi.RunError("put a host into the config");
  error.stack = error.message;
  throw error;
}
if (wrong === "crash") process.exit(7);
const password = new RandomPassword("password", { length: 20, minSpecial: 1 });
const id = new RandomId("id", { byteLength: 4 });
const hook = new local.Command("hook", {
  create: "cat >kept; wc -c <kept", update: "wc -c <kept; echo again", delete: "echo gone >>deleted",
  stdin: password.result, dir: process.env.PULUMI_NODEJS_ROOT_DIRECTORY,
  environment: { PLAIN: config.require("plain") }, triggers: [config.getObject("nested").trigger],
});
exports.bytes = hook.stdout;
exports.hex = id.hex;
exports.password = password.result;
exports.secret = config.requireSecret("secret");
exports.arguments = process.execArgv;
exports.main = require("path").basename(__dirname);
`,
  );
  await pulumi("stack", "init", "dev");
  await pulumi("config", "set", "plain", "text");
  await pulumi("config", "set", "--path", "nested.trigger", "1");
  await pulumi("config", "set", "--secret", "secret", "hidden-in-config");
});
afterAll(() => fs.rmSync(project, { recursive: true }));

function write(file: string, text: string) {
  fs.mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
  fs.writeFileSync(path.join(project, file), text);
}

async function pulumi(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn("pulumi", [...args, "--non-interactive"], {
    cwd: project,
    env: {
      ...process.env,
      PATH: [path.join(cacheDir(process.env), "bin"), process.env.PATH].join(path.delimiter),
      PULUMI_BACKEND_URL: `file://${project}/state`,
      PULUMI_CONFIG_PASSPHRASE: "toolchain",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    },
  });
  let output = "";
  child.stdout.on("data", (bytes) => (output += bytes));
  child.stderr.on("data", (bytes) => (output += bytes));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, output };
}

async function outputs(): Promise<{ [name: string]: unknown }> {
  const { output } = await pulumi("stack", "output", "--json", "--show-secrets");
  return JSON.parse(output) as { [name: string]: unknown };
}

test("a program runs: config, secrets, `main`, arguments for Node, random values and commands", async () => {
  const preview = await pulumi("preview");
  expect(preview).toMatchObject({ code: 0 });
  expect(preview.output).not.toMatch(/warning/i);
  expect(fs.existsSync(path.join(project, "kept"))).toBe(false);

  const { code, output } = await pulumi("up", "--yes", "--skip-preview");
  expect(output).toContain("+ 4 created");
  expect(code).toBe(0);
  expect(output).not.toContain("hidden-in-config");
  const values = await outputs();
  expect(values).toMatchObject({
    bytes: "20",
    secret: "hidden-in-config",
    arguments: ["--stack-size=900"],
    main: "program",
  });
  expect(values.password).toBe(fs.readFileSync(path.join(project, "kept"), "utf8"));
});

test("a second run changes nothing, with and without refresh, and nothing secret lies open in the state", async () => {
  const before = await outputs();
  for (const options of [[], ["--refresh"]]) {
    const { code, output } = await pulumi("up", "--yes", "--expect-no-changes", ...options);
    expect(output).toContain("4 unchanged");
    expect(code).toBe(0);
  }
  expect(await outputs()).toEqual(before);
  const { output } = await pulumi("stack", "export");
  expect(output).not.toContain(before.password);
  expect(output).not.toContain("hidden-in-config");
});

test("a changed argument updates, a changed trigger replaces", async () => {
  await pulumi("config", "set", "plain", "other");
  expect((await pulumi("up", "--yes", "--skip-preview")).output).toContain("~ 1 updated");
  expect((await outputs()).bytes).toBe("20\nagain");
  await pulumi("config", "set", "--path", "nested.trigger", "2");
  expect((await pulumi("up", "--yes", "--skip-preview")).output).toContain("1 replaced");
});

test("an error that the program explains is shown alone; any other end with its exit code", async () => {
  await pulumi("config", "set", "wrong", "explained");
  const explained = await pulumi("preview");
  expect(explained.code).not.toBe(0);
  expect(explained.output).toContain("error: put a host into the config");
  expect(explained.output).not.toContain("exit code");
  await pulumi("config", "set", "wrong", "crash");
  const crashed = await pulumi("preview");
  expect(crashed.code).not.toBe(0);
  expect(crashed.output).toContain("Program exited with non-zero exit code: 7");
  await pulumi("config", "rm", "wrong");
});

test("destroy runs the delete command, and every plugin ends with the engine", async () => {
  await pulumi("up", "--yes", "--skip-preview");
  const { code, output } = await pulumi("destroy", "--yes", "--skip-preview");
  expect(output).toContain("- 4 deleted");
  expect(output).not.toContain("exited prematurely");
  expect(code).toBe(0);
  // Once for the replaced one, once now.
  expect(fs.readFileSync(path.join(project, "deleted"), "utf8")).toBe("gone\ngone\n");
});
