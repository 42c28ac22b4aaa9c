import { expect, test } from "vitest";
import { parseSettings } from "../../src/config/parse";
import { versionRules } from "../../src/plan/capabilities";

function rules(cluster: object): string[] {
  const settings = parseSettings({
    hosts: {
      a1: { address: "10.0.0.1" },
      a2: { address: "10.0.0.2" },
      a3: { address: "10.0.0.3" },
    },
    cluster: {
      name: "shop",
      postgresql: { version: 15 },
      members: ["a1", "a2", "a3"],
      dcs: { kind: "etcd", members: ["a1", "a2", "a3"] },
      firewall: false,
      ...cluster,
    },
  });
  return versionRules(settings)
    .slice(2)
    .map(
      ({ package: name, atLeast, below, setting }) =>
        `${setting} needs ${name} ${atLeast ?? ""}${below ? `below ${below}` : ""}`,
    );
}

test("what every version can do needs none", () => {
  expect(rules({})).toEqual([]);
  expect(rules({ replication: { mode: "strict" }, failover: { profile: "fast" } })).toEqual([]);
});

test.each([
  [
    { replication: { mode: "quorum" } },
    'pgherd:cluster.replication.mode: "quorum" needs patroni 4.0.0',
  ],
  [
    { failover: { profile: "aggressive" } },
    'pgherd:cluster.failover.profile: "aggressive" needs patroni below 3.2.0',
  ],
  [
    { failover: { ttl: 12, loopWait: 2, retryTimeout: 4 } },
    "pgherd:cluster.failover: ttl 12, retryTimeout 4 needs patroni below 3.2.0",
  ],
  [
    { failover: { ttl: 20, loopWait: 2, retryTimeout: 2 } },
    "pgherd:cluster.failover: ttl 20, retryTimeout 2 needs patroni below 3.2.0",
  ],
  [
    { members: ["a1", "a2", { host: "a3", tags: { failover_priority: 2 } }] },
    "pgherd:cluster.members[2].tags.failover_priority needs patroni 3.2.0",
  ],
  [{ postgresql: { version: 16 } }, "pgherd:cluster.postgresql.version: 16 needs patroni 3.0.3"],
  [{ postgresql: { version: 17 } }, "pgherd:cluster.postgresql.version: 17 needs patroni 4.0.0"],
  [{ postgresql: { version: 18 } }, "pgherd:cluster.postgresql.version: 18 needs patroni 4.0.7"],
])("%j is refused where the version would ignore it", (cluster, rule) => {
  expect(rules(cluster)).toEqual([rule]);
});
