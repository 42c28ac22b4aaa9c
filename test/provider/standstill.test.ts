import { expect, test } from "vitest";
import { whyNotWait } from "../../src/cluster/standstill";
import type { ClusterView } from "../../src/facts/patroni";
import { Standstill } from "../../src/operations/stuck";
import { Context } from "../../src/provider/context";

/** A host on which nothing repairs anything. */
class Idle {
  observe() {
    return Promise.resolve([]);
  }
}

test("a run gives up on a member that does not come back, and says what helps", async () => {
  const context = new Context({ hosts: {}, ssh: {} } as never, {} as never, [], Idle as never);
  let now = 0;
  const standstill = new Standstill(undefined, () => now);
  const view = { members: [{ name: "db1", role: "replica", state: "stopped" }] } as never;
  const look = () => whyNotWait(context, standstill, ["db1"], view as ClusterView);
  expect(await look()).toBeUndefined();
  now = 61_000;
  expect(await look()).toEqual({
    hopeless: "db1 stopped for 61 s, and Patroni does not get further",
    next: "`pgherd logs db1` tells why, and `pgherd reinit db1` makes it anew from the leader or a backup.",
  });
});
