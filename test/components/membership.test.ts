import { expect, test, vi } from "vitest";
import * as pulumi from "@pulumi/pulumi";
import { rawStack } from "../../src/cli/stack";
import { Cluster } from "../../src/components/cluster";
import { motionOf } from "../../src/components/membership";
import { parseSettings } from "../../src/config/parse";
import type { HostsFacts } from "../../src/resources/inputs/preflight";
import { allRegistered, recordResources, type Registered } from "../registered";

vi.setConfig({ testTimeout: 120_000 });

/** What the engine hears of the lab's cluster. */
async function heard(facts: Partial<HostsFacts>, cluster: object = {}): Promise<Registered[]> {
  const registered = await recordResources({ facts });
  const stack = rawStack("lab");
  new Cluster(
    "demo",
    parseSettings({ ...stack, cluster: { ...(stack.cluster as object), ...cluster } }),
  );
  await allRegistered();
  return registered;
}

/** Names of all resources that this one comes after, at whatever distance. */
function before(registered: readonly Registered[], name: string): string[] {
  const found = new Set<string>();
  const visit = (one: string) => {
    const { dependencies = [] } = registered.find((other) => other.name === one) ?? {};
    for (const urn of dependencies) {
      const next = urn.split("::")[3] ?? "";
      if (found.has(next)) continue;
      found.add(next);
      visit(next);
    }
  };
  visit(name);
  return [...found];
}

test("a new member starts after all others let it in, and HAProxy knows it", async () => {
  const registered = await heard({ joining: ["db2"] });
  const needs = before(registered, "demo-db2-patroni");
  for (const one of ["db1", "db3", "lb1", "lb2"]) expect(needs).toContain(`demo-${one}-firewall`);
  for (const one of ["db1-patroni", "db3-patroni", "lb1-haproxy", "lb2-haproxy"])
    expect(needs).toContain(`demo-${one}`);
  expect(before(registered, "demo-db1-patroni")).not.toContain("demo-db2-patroni");
  expect(registered.map(({ name }) => name)).not.toContain("demo-departure");
});

test("several new members wait for those that are there, and not for each other", async () => {
  const registered = await heard({ joining: ["db2", "db3"] });
  for (const [one, other] of [
    ["db2", "db3"],
    ["db3", "db2"],
  ]) {
    const needs = before(registered, `demo-${one}-patroni`);
    expect(needs).toContain("demo-db1-patroni");
    expect(needs).not.toContain(`demo-${other}-patroni`);
  }
});

test("a new member's agent of Consul starts after the servers' firewalls let it in", async () => {
  const dcs = { kind: "consul", members: ["db1", "db3", "lb1"] };
  const registered = await heard({ joining: ["db2"] }, { dcs });
  expect(before(registered, "demo-db2-consul")).toContain("demo-db3-firewall");
});

test("who leaves has left before any host is changed, and the program says who is gone for good", async () => {
  const registered = await heard(
    { leaving: { db4: "10.89.0.14", db5: "fd00::15" } },
    { removed: ["db4"] },
  );
  const departure = registered.find(({ name }) => name === "demo-departure");
  expect(departure?.inputs).toMatchObject({
    leaving: { db4: "10.89.0.14:8008", db5: "[fd00::15]:8008" },
    members: { db1: "10.89.0.11:8008" },
    balancers: { hosts: ["lb1", "lb2"] },
  });
  for (const one of ["demo-db1", "demo-db1-firewall", "demo-lb1-haproxy", "demo-configuration"])
    expect(before(registered, one), one).toContain("demo-departure");
  const hosts = registered.find(({ name }) => name === "demo-hosts");
  expect(JSON.stringify(hosts?.inputs)).toContain('"removed":["db4"]');
});

test("members that have changed are refused where the hosts have not been looked at in this run", async () => {
  const seen = (members: string) =>
    ({
      facts: pulumi.output({ joining: ["db3"] }),
      fixed: pulumi.output({ members }),
    }) as never;
  const wanted = { members: "db1, db2, db3" };
  expect(await motionOf(seen("db1, db3, db2"), wanted)).toEqual({ joining: ["db3"] });
  await expect(motionOf(seen("db1, db2"), wanted)).rejects.toThrow(
    "pgherd:cluster.members: expected db1, db2, as in the last run, got db1, db2, db3: members have changed, and this run does not look at the hosts. Run pulumi up without --target first.",
  );
});
