import { describe, expect, test } from "vitest";
import { parseState, type LabState } from "../../src/lab/state";

const STATE: LabState = {
  version: 1,
  name: "lab",
  topology: "small",
  distro: "trixie",
  trees: "/var/cache/pgherd/lab/trixie-0123456789ab",
  createdAt: "2026-01-02T03:04:05.678Z",
  hosts: [
    {
      name: "db1",
      address: "10.89.0.11",
      address6: "fd00:89::11",
      hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHost1",
    },
  ],
};

describe("parseState", () => {
  test("returns what was written", () => {
    expect(parseState(JSON.stringify(STATE), "state.json")).toEqual(STATE);
  });

  test.each([
    ["half a file", '{"version":1,"name"'],
    ["an empty file", ""],
    ["another version", JSON.stringify({ ...STATE, version: 2 })],
    ["an unknown topology", JSON.stringify({ ...STATE, topology: "huge" })],
    ["a host without its key", JSON.stringify({ ...STATE, hosts: [{ name: "db1" }] })],
  ])("refuses %s, names the file and says what to do", (_, text) => {
    expect(() => parseState(text, "/labs/lab/state.json")).toThrow(
      /^\/labs\/lab\/state\.json: expected the state of a lab, found: .+\nRun: pgherd lab down, then pgherd lab up\.$/,
    );
  });
});
