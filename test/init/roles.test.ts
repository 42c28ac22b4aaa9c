import { describe, expect, test } from "vitest";
import {
  proposeRoles,
  remarks,
  strangers,
  wrongWishes,
  type Candidate,
} from "../../src/init/roles";

function hosts(...names: string[]): Candidate[] {
  return names.map((name, place) => {
    const address = `192.0.2.${11 + place}`;
    return {
      ...{ name, address, servers: [] },
      networks: [{ interface: "eth0", address, prefix: 24 }],
      facts: {
        ...{ system: "debian 13", memory: 4e9, cores: 2, cluster: "" },
        disk: { type: "ext4", size: 5e10, free: 4e10, inodes: 1e6, freeInodes: 1e6 },
      },
    };
  });
}

const SIX = ["db1", "db2", "db3", "lb1", "lb2", "backup1"];

test("names tell what hosts are to do", () => {
  expect(proposeRoles(hosts(...SIX))).toMatchObject({
    members: ["db1", "db2", "db3"],
    dcs: ["db1", "db2", "db3"],
    balancers: ["lb1", "lb2"],
    backup: "backup1",
  });
});

test("wishes that cannot be are told all at once", () => {
  const wishes = { members: ["db2", "dbx"], dcs: ["nope"], backup: "foo", vip: "banana" };
  expect(wrongWishes(wishes, ["db1", "db2"])).toEqual([
    "--members dbx: expected some of db1, db2.",
    "--dcs nope: expected some of db1, db2.",
    "--backup foo: expected some of db1, db2.",
    "--vip banana: expected an address such as 10.0.0.100.",
  ]);
  expect(wrongWishes({ members: ["db1"], vip: "10.89.0.100/24" }, ["db1"])).toEqual([]);
});

test("where names tell nothing, the first hosts hold the data", () => {
  expect(proposeRoles(hosts("a", "b", "c", "d", "e", "f"))).toMatchObject({
    members: ["a", "b", "c"],
    balancers: ["d", "e"],
    backup: "f",
  });
});

test("what the user says counts", () => {
  const roles = proposeRoles(hosts(...SIX), { members: ["db2"], backup: "lb2", balancers: [] });
  expect(roles).toMatchObject({ members: ["db2"], backup: "lb2", balancers: [] });
});

test("a host that another cluster has is none for this one, and its server is not migrated", () => {
  const [db1, ...others] = hosts("db1", "db2", "db3");
  const taken = {
    ...(db1 as Candidate),
    servers: [{ port: 5432, version: "17" }],
    facts: { ...(db1 as Candidate).facts, cluster: "shop" },
  };
  expect(strangers([taken, ...others], "orders")).toEqual([
    "db1 is a part of the cluster shop already. Leave it out, or, where that one's stack is lost, write it anew: --name shop",
  ]);
  expect(strangers([taken, ...others], "shop")).toEqual([]);
  expect(proposeRoles([taken, ...others]).running).toBeUndefined();
});

describe("who votes on the leader", () => {
  test.each([
    ["one member", ["db1"], ["db1"]],
    ["two members alone: one, since two can lose none either", ["db1", "db2"], ["db1"]],
    ["two members and a witness", ["db1", "db2", "witness"], ["db1", "db2", "witness"]],
    ["two members and a backup host", ["db1", "db2", "backup1"], ["db1", "db2", "backup1"]],
    ["hosts of its own", ["db1", "db2", "etcd1", "etcd2", "etcd3"], ["etcd1", "etcd2", "etcd3"]],
    [
      "an odd number of them",
      ["db1", "etcd1", "etcd2", "etcd3", "etcd4"],
      ["etcd1", "etcd2", "etcd3"],
    ],
  ])("%s", (_what, names, dcs) => {
    expect(proposeRoles(hosts(...names)).dcs).toEqual(dcs);
  });
});

test("a virtual IP gets the interface and the prefix of the balancers' network", () => {
  const of = (vip: string) => proposeRoles(hosts(...SIX), { vip }).vip;
  expect(of("192.0.2.100")).toEqual({ address: "192.0.2.100/24", interface: "eth0" });
  expect(of("192.0.2.100/25")).toEqual({ address: "192.0.2.100/25", interface: "eth0" });
  expect(of("10.0.0.1")).toEqual({ address: "10.0.0.1" });
});

test("a server that runs on one member becomes the first one; others are left alone", () => {
  const [db1, db2, ...others] = hosts(...SIX) as [Candidate, Candidate, ...Candidate[]];
  const server = { port: 5433, version: "17" };
  const one = [db1, { ...db2, servers: [server] }, ...others];
  const roles = proposeRoles(one);
  expect(roles.running).toEqual({ host: "db2", ...server });
  expect(remarks(one, roles).join()).toContain("db2 runs PostgreSQL 17 on port 5433: it becomes");
  const two = [{ ...db1, servers: [server] }, { ...db2, servers: [server] }, ...others];
  expect(proposeRoles(two).running).toBeUndefined();
  expect(remarks(two, proposeRoles(two)).join()).toContain(
    "db1 runs PostgreSQL on port 5433, which",
  );
});

test("what a host lacks, and what a choice means, is told", () => {
  const [db1] = hosts("db1") as [Candidate];
  const odd = [{ ...db1, facts: { ...db1.facts, system: "ubuntu 24.04", cluster: "shop" } }];
  expect(remarks(odd, proposeRoles(odd))).toEqual([
    "db1 runs ubuntu 24.04: expected Debian 12, 13 or 14.",
    "db1 is a part of the cluster shop already.",
    "One member: nobody takes over when it is lost.",
    "No host keeps backups: name one with --backup.",
    "No load balancers: clients name all members and look for the leader themselves.",
  ]);
});
