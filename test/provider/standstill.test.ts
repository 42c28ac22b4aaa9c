import { expect, test } from "vitest";
import { whyNotWait } from "../../src/cluster/standstill";
import type { ClusterView } from "../../src/facts/patroni";
import { fullDisksProbe } from "../../src/facts/full-disk";
import { dataPlaceProbe } from "../../src/facts/places";
import { repairsProbe } from "../../src/facts/repairs";
import type { Probe } from "../../src/host/host";
import { Standstill } from "../../src/operations/stuck";
import { Context } from "../../src/provider/context";

let place = "";
let full = "";

/** A host on which nothing repairs anything. */
class Idle {
  observe({ script, parse }: Probe<unknown>) {
    if (script === repairsProbe.script) return Promise.resolve(parse(""));
    if (script === fullDisksProbe.script) return Promise.resolve(parse(full));
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
  // A new copy would want that room too.
  full = `0 true ${btoa("/data/pg_wal")} ${btoa("/wal\n")}\n`;
  expect(await look()).toEqual({
    hopeless: "db1 stopped for 61 s, and Patroni does not get further",
    next:
      "db1: the file system at /wal, where /data/pg_wal is, is full: it has 0 B left for PostgreSQL. Make room there, or enlarge it, " +
      "and delete nothing by hand of what is PostgreSQL's, pg_wal least of all: Patroni then starts it by itself.",
  });
  // Copied anew it would be beside the disk that it belongs on.
  place = "the file system of /srv/ts is not there. Mount it, then: systemctl start patroni.";
  expect(await look()).toEqual({
    hopeless: "db1 stopped for 61 s, and Patroni does not get further",
    next: `db1: ${place}`,
  });
});
