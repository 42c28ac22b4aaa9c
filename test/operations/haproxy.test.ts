import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { drainServers, leadWritesTo, readyServers } from "../../src/operations/haproxy";

const run = promisify(execFile);

/** Runs a script with a socket that answers each connection so; returns what the socket was told. */
async function told(script: string, answer: string): Promise<string> {
  const socket = join(mkdtempSync(join(tmpdir(), "pgherd-")), "admin.sock");
  let received = "";
  const server = createServer((connection) => {
    // Who has heard enough goes.
    connection.on("error", () => undefined);
    connection.on("data", (data) => {
      received += data.toString();
      connection.end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  try {
    await run("/bin/sh", ["-c", script.replaceAll("/run/haproxy-admin.sock", socket)]);
    return received;
  } finally {
    server.close();
  }
}

test("servers are drained and taken back in with one question to HAProxy", async () => {
  expect(await told(drainServers(["replica/db2", "synchronous/db2"]), "\n\n")).toBe(
    "set server replica/db2 state drain;set server synchronous/db2 state drain\n",
  );
  expect(await told(readyServers(["replica/db2"]), "\n")).toBe(
    "set server replica/db2 state ready\n",
  );
});

test("a new leader is made known with the old one's end", async () => {
  expect(await told(leadWritesTo("db2", "db1"), "\n\n")).toBe(
    "set server primary/db2 health up;set server primary/db1 health down\n",
  );
});

test("what HAProxy answers is an error", async () => {
  await expect(told(drainServers(["replica/db9"]), "No such server.\n\n")).rejects.toThrow(
    /No such server\./,
  );
});

test("an answer without end is cut off, and no part of it reaches the terminal but text", async () => {
  const flood = `\u001b]0;owned\u0007${"x".repeat(100_000)}`;
  const error = await told(drainServers(["replica/db2"]), flood).then(
    () => undefined,
    (failure: { stderr: string }) => failure.stderr,
  );
  expect(error).toMatch(/^[\x20-\x7e]{1,4096}\n$/);
});
