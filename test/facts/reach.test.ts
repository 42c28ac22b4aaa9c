import { execFile } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { reachProbe } from "../../src/facts/reach";

test("a door that is open and one that is shut can be reached", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const open = (server.address() as AddressInfo).port;
  const endpoints = [open, 1].map((port) => ({ address: "127.0.0.1", port }));
  const probe = reachProbe(endpoints);
  // Not the one that blocks: the door is this process.
  const { stdout } = await promisify(execFile)("/bin/sh", ["-c", probe.script]);
  expect(probe.parse(stdout)).toEqual([]);
  server.close();
});

test("a door that nobody answers at, or that no route leads to, cannot be reached", () => {
  const said = [
    "124 10.89.0.12/2379",
    "1 fd00:89::12/2380 bash: connect: No route to host bash: line 1: /dev/tcp/fd00:89::12/2380: No route to host",
    "1 10.89.0.12/5432 bash: connect: Connection refused bash: line 1: /dev/tcp/10.89.0.12/5432: Connection refused",
    "0 10.89.0.12/22",
  ];
  expect(reachProbe([]).parse(said.join("\n"))).toEqual([
    { address: "10.89.0.12", port: 2379, found: "no answer within 3 seconds" },
    { address: "fd00:89::12", port: 2380, found: "No route to host" },
  ]);
});
