import { expect, test, vi } from "vitest";
import { rawStack } from "../../src/cli/stack";
import { triggerOf } from "../../src/components/hooks";
import { parseSettings } from "../../src/config/parse";
import { planCluster } from "../../src/plan/plan";

vi.setConfig({ testTimeout: 60_000 });

/** What hooks run anew for, in the lab's stack with these changes. */
function trigger(cluster: object): string {
  const raw = rawStack("lab");
  const settings = parseSettings({ ...raw, cluster: { ...(raw.cluster as object), ...cluster } });
  return triggerOf(settings, planCluster(settings));
}

test("hooks run whenever anything of the cluster changes, and not without", () => {
  const usual = trigger({});
  expect(trigger({})).toBe(usual);
  // These are made into Patroni's configuration only once the hosts have been asked.
  for (const change of [
    { failover: { profile: "default", maximumLag: "2MB" } },
    { failover: { profile: "fast" } },
    { postgresql: { parameters: { work_mem: "8MB" } } },
    { postgresql: { parameters: { max_connections: 250 } } },
    { postgresql: { slots: { feed: { type: "physical" } } } },
    { replication: { mode: "strict", acceptBlocking: true } },
  ]) {
    expect(trigger(change)).not.toBe(usual);
  }
});
