import { describe, expect, test } from "vitest";
import { extraHost, hostsOf, TOPOLOGIES, type Topology } from "../../src/lab/topology";

describe("topologies", () => {
  test("standard has three database hosts, two load balancers and a backup host", () => {
    expect(hostsOf("standard")).toEqual([
      { name: "db1", address: "10.89.0.11", address6: "fd00:89::11" },
      { name: "db2", address: "10.89.0.12", address6: "fd00:89::12" },
      { name: "db3", address: "10.89.0.13", address6: "fd00:89::13" },
      { name: "lb1", address: "10.89.0.31", address6: "fd00:89::31" },
      { name: "lb2", address: "10.89.0.32", address6: "fd00:89::32" },
      { name: "backup1", address: "10.89.0.41", address6: "fd00:89::41" },
    ]);
  });

  test.each(Object.keys(TOPOLOGIES) as Topology[])(
    "%s gives every host an address of its own, and leaves the controller's and the VIP free",
    (topology) => {
      const addresses = hostsOf(topology).map((host) => host.address);
      expect(new Set(addresses).size).toBe(TOPOLOGIES[topology].length);
      for (const reserved of ["10.89.0.0", "10.89.0.1", "10.89.0.100"])
        expect(addresses).not.toContain(reserved);
    },
  );
});

describe("an extra host", () => {
  const taken = hostsOf("small");

  test("is a stranger at .200 unless told otherwise", () => {
    expect(extraHost("db9", taken)).toEqual({
      name: "db9",
      address: "10.89.0.200",
      address6: "fd00:89::200",
    });
  });

  test.each([
    ["db1", 50, "db1 (10.89.0.50): the lab already has db1 (10.89.0.11)."],
    ["db9", 12, "db9 (10.89.0.12): the lab already has db2 (10.89.0.12)."],
    ["db9", 255, "db9: expected the last octet of its address between 2 and 254, got 255."],
    ["DB 9", 50, 'expected 1 to 12 lower-case letters, digits or "-", a letter first, got "DB 9".'],
    ["longer-than-a-veth", 50, "host name: expected 1 to 12 lower-case letters"],
  ])("%s at .%i is refused", (name, octet, message) => {
    expect(() => extraHost(name, taken, octet)).toThrow(message);
  });
});
