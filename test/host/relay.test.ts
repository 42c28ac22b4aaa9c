import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { Duplex, type Readable } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { relayed } from "../../src/host/relay";

const asRoot = process.getuid?.() === 0;
let server: Server | undefined;

afterEach(() => void server?.close());

/** A shell of root's as an SSH channel shows it. */
function rootChannel(): Duplex & { stderr: Readable } {
  const child = spawn("/bin/sh", ["-s"]);
  const { stdin, stdout, stderr } = child;
  const channel = Object.assign(Duplex.from({ readable: stdout, writable: stdin }), { stderr });
  child.on("close", () => channel.destroy());
  return channel;
}

test.runIf(asRoot)("bytes go to a socket of the host and back, as they are", async () => {
  const socket = join(mkdtempSync(join(tmpdir(), "pgherd-relay-")), "socket");
  // The server's first word comes by itself, and all that it hears it says again.
  server = createServer((client) => {
    client.write("hello ");
    client.pipe(client);
  }).listen(socket);
  const user = userInfo().username;
  const stream = await relayed(rootChannel(), "db1", { user, socket });
  const sent = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 256));
  stream.end(sent);
  const got: Buffer[] = [];
  for await (const chunk of stream) got.push(chunk as Buffer);
  expect(Buffer.concat(got).equals(Buffer.concat([Buffer.from("hello "), sent]))).toBe(true);
});

test.runIf(asRoot)("a socket on which nobody listens is told with its path", async () => {
  const user = userInfo().username;
  const trying = relayed(rootChannel(), "db1", { user, socket: "/run/nobody/.s.PGSQL.5432" });
  await expect(trying).rejects.toThrow(
    /db1: leading to its server.*\/run\/nobody\/\.s\.PGSQL\.5432/s,
  );
});
