import { expect, test } from "vitest";
import { whyNotWait } from "../../src/cluster/standstill";
import type { ClusterView } from "../../src/facts/patroni";
import { dataPlaceProbe } from "../../src/facts/places";
import { repairsProbe } from "../../src/facts/repairs";
import type { Probe } from "../../src/host/host";
import { Standstill } from "../../src/operations/stuck";
import { Context } from "../../src/provider/context";

let place = "";

/** A host on which nothing repairs anything. */
class Idle {
  observe({ script, parse }: Probe<unknown>) {
    if (script === repairsProbe.script) return Promise.resolve(parse(""));
    return Promise.resolve(script === dataPlaceProbe.script ? parse(`${place}\n`) : undefined);
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
  // Copied anew it would be beside the disk that it belongs on.
  place = "the file system of /srv/ts is not there. Mount it, then: systemctl start patroni.";
  expect(await look()).toEqual({
    hopeless: "db1 stopped for 61 s, and Patroni does not get further",
    next: `db1: ${place}`,
  });
});
