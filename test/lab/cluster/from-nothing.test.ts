import { describe, expect, test } from "vitest";
import { during } from "../../../src/lab/faults/inflict";
import { LAB } from "./lab";
import { blank, cluster, fingerprints } from "./standing";

blank();

describe("a cluster from nothing", () => {
  test("a firewall between the hosts is found before anything is changed", async () => {
    const etcd = { from: ["db1", "db3"], to: ["db2"], ports: [2380] };
    const said = await during(LAB, { kind: "cut", args: etcd }, () => cluster.refused("preview"));
    expect(said).toContain(
      "db1, db3: expected to reach etcd's peers on db2 (10.89.0.12 port 2380), got: no answer within 3 seconds.",
    );
    expect(new Set(said.match(/expected to reach .*? on \w+/g))).toEqual(
      new Set(["expected to reach etcd's peers on db2"]),
    );
  });

  test("one pulumi up turns blank hosts into a healthy cluster with a synchronous replica", async () => {
    await cluster.deploy();
    const seen = await cluster.healthy(60);
    expect(seen.members.map(({ role }) => role).sort()).toEqual([
      "leader",
      "replica",
      "sync_standby",
    ]);
    expect(new Set(seen.members.map(({ timeline }) => timeline)).size).toBe(1);
    expect(seen.loadBalancers.filter(({ holdsVip }) => holdsVip)).toHaveLength(1);
  });

  test("the first preview of it shows nothing that a refresh would have changed", async () => {
    const said = await cluster.shown("preview", "--diff");
    // The stack itself is shown always.
    expect(said.match(/^ *[~+-]+ *pgherd:index:.*$/gm) ?? []).toEqual([]);
    expect(said).not.toMatch(/^ *[~+-] (files|directories|links|unit) *:/m);
    expect(said.split("\n").length).toBeLessThan(60);
  });

  test("the next pulumi up changes nothing, neither in the state nor on any host", async () => {
    const before = await fingerprints();
    await cluster.unchanged();
    expect(await fingerprints()).toEqual(before);
  });
});
