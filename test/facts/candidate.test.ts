import { expect, test } from "vitest";
import { surroundingsProbe } from "../../src/facts/candidate";

const { parse } = surroundingsProbe;

test("networks and servers of a host are read", () => {
  const output =
    "network host0@if5 10.89.0.11/24\nnetwork host0 fd00:89::11/64\nserver 5432\nserver 5433\nversion 5432 17\nversion 5433\n";
  expect(parse(output)).toEqual({
    networks: [
      { interface: "host0", address: "10.89.0.11", prefix: 24 },
      { interface: "host0", address: "fd00:89::11", prefix: 64 },
    ],
    servers: [{ port: 5432, version: "17" }, { port: 5433 }],
  });
});

test("what a server's user has put into its directory is no version", () => {
  expect(parse("server 5432\nversion 5432 $(reboot)\n").servers).toEqual([{ port: 5432 }]);
});
