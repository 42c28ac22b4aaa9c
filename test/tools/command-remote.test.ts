import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { EngineLog } from "../../src/rpc/engine";
import type { Values } from "../../src/rpc/values";
import { commandProvider } from "../../tools/plugins/command-provider";
import { serveFor, type ProviderClient } from "./provider-client";
import { startSshServer, type SshServer } from "./ssh-server";
import { keyPair } from "../keys";

const REMOTE = "command:remote:Command";
const identity = keyPair();

let client: ProviderClient;
let server: SshServer;
let warnings: string[];
let shown: string[];
const log: EngineLog = {
  progress: (_urn, message) => shown.push(message),
  info: async () => {},
  warning: (_urn, message) => warnings.push(message),
};

beforeEach(async () => {
  [warnings, shown] = [[], []];
  client = await serveFor(commandProvider(log), REMOTE);
  server = await startSshServer({
    name: "deploy",
    password: "pa55",
    publicKey: identity.public,
  });
});
afterEach(async () => {
  client.close();
  await server.close();
});

function connection(changed: Values = {}): Values {
  return {
    host: "127.0.0.1",
    port: server.port,
    user: "deploy",
    privateKey: identity.private,
    hostKey: server.hostKey,
    dialErrorLimit: 0,
    ...changed,
  };
}

async function create(inputs: Values) {
  return client.create((await client.check(inputs)).inputs);
}

test("check fills in the connection as the official plugin does", async () => {
  const { inputs } = await client.check({
    create: "true",
    connection: { host: "db1", proxy: { host: "bastion", user: "me" } },
  });
  const defaults = { user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 };
  expect(inputs).toEqual({
    create: "true",
    addPreviousOutputInEnv: true,
    connection: {
      ...defaults,
      host: "db1",
      proxy: { ...defaults, host: "bastion", user: "me" },
    },
  });
});

test("a command runs as it is, with its input, and its output is kept", async () => {
  const { state } = await create({
    connection: connection(),
    create: "cat; echo problem >&2",
    stdin: "from stdin",
  });
  expect(state).toMatchObject({ stdout: "from stdin", stderr: "problem" });
  expect(server.commands).toEqual(["cat; echo problem >&2"]);
  expect(shown).toContain("problem");
});

test("variables reach the command by standard input, before its own, and never its arguments", async () => {
  const { state } = await create({
    connection: connection(),
    create: `echo "$SECRET"; cat`,
    environment: { SECRET: 'it\'s\n"quoted" $HOME ü' },
    stdin: "the rest",
  });
  expect(state.stdout).toBe('it\'s\n"quoted" $HOME ü\nthe rest');
  expect(server.commands.join()).not.toContain("quoted");
});

test("update and delete see what was printed before", async () => {
  const state = { connection: connection(), stdout: "one", stderr: "", create: "true" };
  const update = { ...state, update: "echo had $PULUMI_COMMAND_STDOUT" };
  expect(await client.update("thing", state, update)).toMatchObject({ stdout: "had one" });
  await client.delete("thing", { ...state, delete: "echo $PULUMI_COMMAND_STDOUT" });
  expect(server.commands).toHaveLength(2);
});

test("a password does as well as a key", async () => {
  const { state } = await create({
    connection: connection({ privateKey: null, password: "pa55" }),
    create: "echo in",
  });
  expect(state.stdout).toBe("in");
});

test("another host key is refused at once, and nothing runs on that host", async () => {
  const other = keyPair().public;
  const refused = create({
    connection: connection({ hostKey: other, dialErrorLimit: -1 }),
    create: "true",
  });
  await expect(refused).rejects.toThrow(
    "127.0.0.1: expected the host key ssh-ed25519 of hostKey, got another one. Nothing was run.\n",
  );
  expect(server.logins).toEqual([]);
  expect(server.commands).toEqual([]);
});

test("a host key that is none is refused", async () => {
  const refused = create({ connection: connection({ hostKey: "SHA256:abc" }), create: "true" });
  await expect(refused).rejects.toThrow(
    'connection.hostKey: expected a public key like "ssh-ed25519 AAAA…", got "SHA256:abc"',
  );
});

test("without a host key it works as the official plugin does, with a warning", async () => {
  await create({ connection: connection({ hostKey: null }), create: "true" });
  expect(warnings).toEqual(["127.0.0.1: any host key is accepted, because hostKey is not set."]);
});

test("a failing command says what it printed, and not its own text", async () => {
  const failing = create({ connection: connection(), create: "echo oops >&2; exit 4 # s3cret" });
  await expect(failing).rejects.toThrow(
    "127.0.0.1: the create command failed with exit code 4.\noops",
  );
  await expect(failing).rejects.not.toThrow("s3cret");
});

test("an unreachable host is tried as often as allowed", async () => {
  await server.close();
  const failing = create({ connection: connection({ dialErrorLimit: 2 }), create: "true" });
  await expect(failing).rejects.toThrow(
    /127\.0\.0\.1: no SSH connection on port \d+ as deploy: .*ECONNREFUSED.*Gave up after 3 attempts\./,
  );
});

test("a proxy is on the way, with a host key of its own", async () => {
  const proxy = await startSshServer({ name: "jump", password: "jump" });
  const hop = {
    host: "127.0.0.1",
    port: proxy.port,
    user: "jump",
    password: "jump",
    hostKey: proxy.hostKey,
  };
  const { state } = await create({ connection: connection({ proxy: hop }), create: "echo there" });
  expect(state.stdout).toBe("there");
  expect(proxy.logins).toEqual(["jump"]);
  expect(proxy.commands).toEqual([]);

  const swapped = connection({ proxy: { ...hop, hostKey: server.hostKey } });
  await expect(create({ connection: swapped, create: "true" })).rejects.toThrow(
    "proxy 127.0.0.1: expected the host key",
  );
  await proxy.close();
});

test("cancel ends the command", async () => {
  const running = create({ connection: connection(), create: "echo on; exec sleep 60" }).catch(
    (error: Error) => error.message,
  );
  while (!shown.includes("on")) await new Promise((done) => setTimeout(done, 20));
  await client.cancel();
  expect(await running).toContain("127.0.0.1: the create command was cancelled.");
});

test("states of the official plugin open without a difference", async () => {
  const states = JSON.parse(
    readFileSync(new URL("official-states.json", import.meta.url), "utf8"),
  ) as { type: string; id: string; inputs: Values; outputs: Values }[];
  for (const { type, inputs, outputs, id } of states.filter(({ type }) =>
    type.startsWith("command:"),
  )) {
    const opened = await serveFor(commandProvider(), type);
    const checked = await opened.check(inputs);
    expect(checked).toEqual({ inputs, failures: {} });
    expect((await opened.diff(outputs, checked.inputs)).changes).toEqual([]);
    expect(await opened.read(id, outputs)).toMatchObject({ id, state: outputs });
    opened.close();
  }
});
