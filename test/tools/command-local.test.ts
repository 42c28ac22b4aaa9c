import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { EngineLog } from "../../src/rpc/engine";
import { UNKNOWN, type Values } from "../../src/rpc/values";
import { commandProvider } from "../../tools/plugins/command-provider";
import { serveFor, type ProviderClient } from "./provider-client";

const LOCAL = "command:local:Command";

let client: ProviderClient;
let dir: string;
let shown: string[];
const log: EngineLog = {
  progress: (_urn, message) => shown.push(message),
  info: async () => {},
  warning: () => {},
};

beforeEach(async () => {
  shown = [];
  dir = mkdtempSync(path.join(tmpdir(), "pgherd-command-"));
  client = await serveFor(commandProvider(log), LOCAL);
});
afterEach(() => {
  client.close();
  rmSync(dir, { recursive: true });
});

test("create runs with its input, environment and folder, and keeps what was printed", async () => {
  const { inputs, failures } = await client.check({
    create: "cat; echo $WHO; pwd; echo problem >&2",
    stdin: "from stdin\n",
    environment: { WHO: "it's me" },
    dir,
  });
  expect(failures).toEqual({});
  expect(inputs.addPreviousOutputInEnv).toBe(true);
  const { id, state } = await client.create(inputs);
  expect(id).toMatch(/^thing[0-9a-f]{8}$/);
  expect(state).toEqual({
    ...inputs,
    stdout: `from stdin\nit's me\n${dir}`,
    stderr: "problem",
  });
  expect(shown).toContain("it's me");
  expect(shown).toContain("problem");
});

test("a preview runs nothing and leaves the output unknown", async () => {
  const inputs = { create: "touch made", dir };
  expect((await client.create(inputs, true)).state).toEqual({
    ...inputs,
    stdout: UNKNOWN,
    stderr: UNKNOWN,
  });
  await client.update("thing", { ...inputs, stdout: "", stderr: "" }, inputs, true);
  expect(existsSync(path.join(dir, "made"))).toBe(false);
});

test("update runs its own command, else create again, and sees what was printed before", async () => {
  const create = 'echo "before: $PULUMI_COMMAND_STDOUT/$PULUMI_COMMAND_STDERR"';
  const state = { create, stdout: "one", stderr: "two" };
  expect(await client.update("thing", state, { create })).toMatchObject({
    stdout: "before: one/two",
  });
  const own = { create, update: "echo updated $PULUMI_COMMAND_STDOUT" };
  expect(await client.update("thing", state, own)).toMatchObject({ stdout: "updated one" });
  const without = { create, addPreviousOutputInEnv: false };
  expect(await client.update("thing", state, without)).toMatchObject({ stdout: "before: /" });
  const none = await client.update("thing", { stdout: "one", stderr: "" }, { delete: "true" });
  expect(none).toEqual({ delete: "true", stdout: "one", stderr: "" });
});

test("delete runs only if there is a command for it", async () => {
  await client.delete("thing", { create: "false", stdout: "", stderr: "" });
  const bye = { delete: "echo $PULUMI_COMMAND_STDOUT > bye", dir, stdout: "one", stderr: "" };
  await client.delete("thing", bye);
  expect(readFileSync(path.join(dir, "bye"), "utf8")).toBe("one\n");
});

test("another interpreter takes the command as its last argument", async () => {
  const inputs = {
    create: "print(6 * 7)".replace("print", "console.log"),
    interpreter: ["node", "-e"],
  };
  expect((await client.create(inputs)).state.stdout).toBe("42");
});

test("a failing command says what it printed, and not its own text, which may hold secrets", async () => {
  const failing = client.create({ create: "echo out; echo no such thing >&2; exit 3 # s3cret" });
  await expect(failing).rejects.toThrow(
    "this machine: the create command failed with exit code 3.\n",
  );
  await expect(failing).rejects.toThrow("no such thing");
  await expect(failing).rejects.not.toThrow("s3cret");
});

test("a folder or an interpreter that is not there is named", async () => {
  await expect(client.create({ create: "true", dir: "/nowhere" })).rejects.toThrow(
    "this machine: /bin/sh could not be started in /nowhere",
  );
});

test.each([
  ["none", []],
  ["stderr", ["problem"]],
  ["stdout", ["result"]],
])("logging %s shows %j", async (logging, expected) => {
  await client.create({ create: "echo result; echo problem >&2", logging });
  expect(shown).toEqual(expected);
});

test("triggers replace, everything else updates, and what is spelled out as it was changes nothing", async () => {
  const state = { create: "true", triggers: ["1"], stdout: "x", stderr: "" };
  const inputs = async (changed: Values) =>
    (await client.check({ create: "true", triggers: ["1"], ...changed })).inputs;
  expect((await client.diff(state, await inputs({}))).changes).toEqual([]);
  expect(await client.diff(state, await inputs({ triggers: ["2"] }))).toEqual({
    changes: ["triggers"],
    replaces: ["triggers"],
    deleteBeforeReplace: false,
  });
  expect(await client.diff(state, await inputs({ create: "false" }))).toMatchObject({
    changes: ["create"],
    replaces: [],
  });
  expect((await client.diff(state, await inputs({ stdin: UNKNOWN }))).changes).toEqual(["stdin"]);
});

test("what cannot be done is refused before anything runs", async () => {
  const { failures } = await client.check({
    create: "true",
    assetPaths: ["*"],
    connection: {},
    logging: "loud",
    environment: { "A B": "1" },
  });
  expect(failures).toEqual({
    assetPaths: "not in pgherd's stand-in for the command plugin",
    connection: expect.stringContaining("expected one of create, update, delete"),
    logging: 'expected one of stdout, stderr, stdoutAndStderr, none, got "loud"',
    'environment["A B"]':
      "expected a name of letters, digits and _ that does not begin with a digit",
  });
});

test("cancel ends the command and what it started", async () => {
  const inputs = { create: "sleep 60 & echo $! > child; wait", dir };
  const running = client.create(inputs).catch((error: Error) => error.message);
  while (!existsSync(path.join(dir, "child"))) await new Promise((done) => setTimeout(done, 20));
  await new Promise((done) => setTimeout(done, 50));
  const child = Number(readFileSync(path.join(dir, "child"), "utf8"));
  await client.cancel();
  expect(await running).toContain("this machine: the create command was cancelled");
  expect(isRunning(child)).toBe(false);
});

test("other types of the package are refused with what to do", async () => {
  const other = await serveFor(commandProvider(), "command:remote:CopyToRemote");
  await expect(other.check({})).rejects.toThrow(
    /CopyToRemote: expected command:local:Command or command:remote:Command.*\nNext: pulumi plugin install resource command v1.2.1/s,
  );
  other.close();
});

/** A killed process whose parent has not asked for its end yet is still listed, as a zombie. */
function isRunning(pid: number): boolean {
  const status = `/proc/${pid}/status`;
  return existsSync(status) && !/^State:\s+Z/m.test(readFileSync(status, "utf8"));
}
