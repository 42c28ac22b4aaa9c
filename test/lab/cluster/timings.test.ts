import { describe, expect } from "vitest";
import { PROFILES } from "../../../src/config/timings";
import type { Entrances } from "../../../src/facts/haproxy";
import { full } from "../harness";
import { until } from "../lab-cluster";
import { cluster, standing } from "./standing";

standing();

describe("timings", () => {
  full("each profile's are those that Patroni, etcd and HAProxy run by", async () => {
    for (const profile of ["fast", "default"] as const) {
      const { ttl, loopWait, retryTimeout, checks } = PROFILES[profile];
      const { downInterval: outInterval = checks.fastInterval } = checks;
      const inProfile = cluster.varying(({ cluster: wanted }) => {
        wanted.failover = { profile };
      });
      await inProfile.deploy();
      expect(await cluster.dynamicConfiguration(), profile).toMatchObject({
        ttl,
        loop_wait: loopWait,
        retry_timeout: retryTimeout,
      });
      await until(`a lease of ${ttl} seconds`, 60, async () =>
        (await cluster.leaderLease()) === ttl ? true : undefined,
      );
      const entrances = await settledEntrances("lb1");
      // HAProxy asks once for each entrance, and more often where the member is out.
      const expected = Object.values(entrances)
        .map((members) => 1 / (members.includes("db1") ? checks.interval : outInterval))
        .reduce((sum, rate) => sum + rate, 0);
      const counted = await checksPerSecond("db1", "10.89.0.31");
      expect(counted / expected, `${profile}: ${counted}/s, not ${expected}/s`).toBeGreaterThan(
        0.65,
      );
      expect(counted / expected, `${profile}: ${counted}/s, not ${expected}/s`).toBeLessThan(1.15);
    }
  });

  /** The members behind a balancer's entrances, once each has those of its role. */
  function settledEntrances(balancer: string): Promise<Entrances> {
    return until("each entrance leads to its members", 60, async () => {
      const seen = (await cluster.status()).loadBalancers.find(({ host }) => host === balancer);
      const counts = ["primary", "replica", "synchronous", "asynchronous"].map(
        (name) => seen?.entrances[name]?.length,
      );
      return counts.join(" ") === "1 2 1 1" ? seen?.entrances : undefined;
    });
  }

  /** How often a balancer connects to a member's REST API, as the member's own kernel counts. */
  async function checksPerSecond(member: string, balancer: string): Promise<number> {
    const seconds = 20;
    const counted = await cluster.onHost(
      member,
      "sudo sh",
      `set -e
       nft -f - <<'rules'
table inet count {
  chain incoming {
    type filter hook input priority -10; policy accept;
    ip saddr ${balancer} tcp dport 8008 tcp flags & (syn | ack) == syn counter
  }
}
rules
       sleep ${seconds}
       nft list table inet count | sed -n 's/.*counter packets \\([0-9]*\\).*/\\1/p'
       nft delete table inet count
`,
    );
    return Number(counted) / seconds;
  }
});
