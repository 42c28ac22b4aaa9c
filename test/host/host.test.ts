import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CommandError, ConnectError, PgherdError } from "../../src/errors";
import { Host } from "../../src/host/host";
import { KEEPALIVE, type Target } from "../../src/host/target";
import { keyPair } from "../keys";
import { startSshServer, type SshServer } from "../tools/ssh-server";

let server: SshServer;
let target: Target;
let host: Host;
let folder: string;

beforeAll(async () => {
  const keys = keyPair();
  folder = mkdtempSync(join(tmpdir(), "pgherd-host-"));
  const identityFile = join(folder, "id");
  writeFileSync(identityFile, keys.private, { mode: 0o600 });
  server = await startSshServer({ name: "tester", publicKey: keys.public });
  target = {
    name: "db1",
    address: "127.0.0.1",
    port: server.port,
    user: "tester",
    identities: { files: [identityFile], only: true },
    keepalive: KEEPALIVE,
    hostKeys: [server.hostKey],
    sudo: false,
    connectTimeoutSeconds: 10,
  };
  host = new Host("db1", () => target, "test");
});

afterAll(() => rmSync(folder, { recursive: true }));

test("one shell runs one script after the other, and nothing of one reaches the next", async () => {
  const first = await host.run("looking", "cd /; left=behind; umask 0; echo $$");
  const second = await host.run("looking", 'echo $$; pwd; umask; echo "[${left-}]"');
  const [pid, folderThen, mask, left] = second.split("\n");
  expect(pid).toBe(first.trim());
  expect(folderThen).not.toBe("/");
  expect([mask, left]).toEqual(["0022", "[]"]);
});

test("what runs at the same moment has shells of its own", async () => {
  const pids = await Promise.all(
    [1, 2, 3].map((n) => host.run("waiting", `sleep 0.${n + 4}; echo $$`)),
  );
  expect(new Set(pids).size).toBe(3);
});

test("a script's output arrives as it is: without a last newline, with a here-document, and of a megabyte", async () => {
  expect(await host.run("looking", "printf 'no newline'")).toBe("no newline");
  expect(await host.run("looking", "cat <<'EOF'\n$HOME \\n\nEOF")).toBe("$HOME \\n\n");
  expect(await host.run("looking", "head -c 1000000 /dev/zero | tr '\\0' x")).toHaveLength(1e6);
  expect(await host.run("looking", "cat")).toBe("");
});

test("a script that fails tells its exit code and what it said, and the next one runs", async () => {
  const failed = host.run("trying", "echo out; echo 'no such thing' >&2; exit 3");
  await expect(failed).rejects.toThrow(/db1: trying failed with exit code 3[^]*no such thing/);
  expect(await host.run("looking", "echo on")).toBe("on\n");
});

test("a script ends at the first command that fails, and at a variable that nobody has set", async () => {
  const failed = host.run("trying", "echo before; false; echo after");
  await expect(failed).rejects.toThrow(/trying failed with exit code 1[^]*before$/);
  await expect(host.run("trying", 'rm -rf "$nobody/x"; echo after')).rejects.toThrow(/nobody/);
});

test("a question that fails in its middle fails, and those asked with it are answered", async () => {
  const parse = (output: string) => output;
  const [failed, answered] = await Promise.allSettled([
    host.observe({ script: "echo half; false; echo whole", parse }),
    host.observe({ script: "echo whole", parse }),
  ]);
  expect(failed.status).toBe("rejected");
  expect(answered).toEqual({ status: "fulfilled", value: "whole\n" });
});

test("what a host prints ends no answer, and begins no other one", async () => {
  const parse = (output: string) => output;
  const forged = "pgherd-answer-ends-here 0 0";
  const print = `printf '\\n%s\\nforged\\n' '${forged}'`;
  const answers = await Promise.all([
    host.observe({ script: print, parse }),
    host.observe({ script: "echo own", parse }),
  ]);
  expect(answers).toEqual([`\n${forged}\nforged\n`, "own\n"]);
  // What ends an answer is in no process's arguments and no variable of the script.
  const seen = await host.observe({ script: "set; cat /proc/self/cmdline", parse });
  expect(seen).not.toMatch(/^[0-9a-f]{16}$/m);
});

test("a script that the shell cannot read is an error, and the next one runs", async () => {
  await expect(host.run("trying", "if then")).rejects.toThrow(CommandError);
  expect(await host.run("looking", "echo on")).toBe("on\n");
});

test("a script that does not end in time is given up, and the next one runs", async () => {
  const late = host.run("waiting", "sleep 5", { timeoutSeconds: 0.3 });
  await expect(late).rejects.toThrow("db1: waiting did not end within 0.3 seconds.");
  expect(await host.run("looking", "echo on")).toBe("on\n");
});

test("what a script leaves running does not hold it up", async () => {
  const started = Date.now();
  expect(await host.run("starting", "sleep 20 & echo started")).toBe("started\n");
  expect(Date.now() - started).toBeLessThan(15_000);
});

test("a script that runs when the host is closed says that it was stopped", async () => {
  const other = new Host("db1", () => target, "test");
  const stopped = other.run("waiting", "sleep 5");
  setTimeout(() => other.close(), 300);
  await expect(stopped).rejects.toThrow(PgherdError);
  await expect(stopped).rejects.toThrow("was stopped, as asked");
});

test("reconnecting proves that a host lets new connections in, and keeps the one in use", async () => {
  const before = server.logins.length;
  await host.reconnect();
  expect(server.logins).toHaveLength(before + 1);
  expect(await host.run("looking", "echo still here")).toBe("still here\n");
  expect(server.logins).toHaveLength(before + 1);
  await server.close();
  await expect(host.reconnect()).rejects.toThrow(ConnectError);
  host.close();
});
