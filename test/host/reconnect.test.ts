import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ConnectError } from "../../src/errors";
import { Host } from "../../src/host/host";
import { startSshServer } from "../tools/ssh-server";
import { keyPair } from "../keys";

test("reconnecting proves that a host lets new connections in, and keeps the one in use", async () => {
  const keys = keyPair();
  const identityFile = join(mkdtempSync(join(tmpdir(), "pgherd-reconnect-")), "id");
  writeFileSync(identityFile, keys.private, { mode: 0o600 });
  const server = await startSshServer({ name: "tester", publicKey: keys.public });
  const target = {
    name: "db1",
    address: "127.0.0.1",
    port: server.port,
    user: "tester",
    identityFile,
    hostKeys: [server.hostKey],
    sudo: false,
    connectTimeoutSeconds: 10,
  };
  const host = new Host("db1", () => target, "test");
  expect(await host.run("looking", "echo here")).toBe("here\n");
  await host.reconnect(10);
  expect(server.logins).toHaveLength(2);
  expect(await host.run("looking", "echo still here")).toBe("still here\n");
  expect(server.logins).toHaveLength(2);
  await server.close();
  await expect(host.reconnect(10)).rejects.toThrow(ConnectError);
  host.close();
});
