import { expect, test } from "vitest";
import { clusterViewProbe, type ClusterView } from "../../src/facts/patroni";
import { notReady } from "../../src/provider/readiness";
import type { PatroniClusterInputs } from "../../src/resources/inputs/patroni-cluster";

type Wanted = Pick<PatroniClusterInputs, "members" | "synchronous">;

const SYNC: Wanted = {
  members: { db1: "10.89.0.11:8008", db2: "10.89.0.12:8008", db3: "10.89.0.13:8008" },
  synchronous: { role: "sync_standby", count: 1 },
};
const ASYNC: Wanted = { ...SYNC, synchronous: null };
const QUORUM: Wanted = { ...SYNC, synchronous: { role: "quorum_standby", count: 2 } };

/** What Patroni 4.0.4 of Debian 13 has answered, and Patroni 3.0.2 of Debian 12. */
const WHOLE = `{"members": [{"name": "db1", "role": "leader", "state": "running", "api_url": "http://10.89.0.11:8008/patroni", "host": "10.89.0.11", "port": 5432, "timeline": 2}, {"name": "db2", "role": "sync_standby", "state": "streaming", "api_url": "http://10.89.0.12:8008/patroni", "host": "10.89.0.12", "port": 5432, "timeline": 2, "lag": 0}, {"name": "db3", "role": "replica", "state": "streaming", "api_url": "http://10.89.0.13:8008/patroni", "host": "10.89.0.13", "port": 5432, "timeline": 2, "lag": 16384, "pending_restart": true}], "scope": "demo"}`;
const STARTING = `{"members": [{"name": "db1", "role": "leader", "state": "running", "api_url": "http://10.89.0.11:8008/patroni", "host": "10.89.0.11", "port": 5432, "timeline": 1}, {"name": "db2", "role": "sync_standby", "state": "running", "api_url": "http://10.89.0.12:8008/patroni", "host": "10.89.0.12", "port": 5432, "timeline": 1, "lag": 0}, {"name": "db3", "role": "replica", "state": "starting", "api_url": "http://10.89.0.13:8008/patroni", "host": "10.89.0.13", "port": 5432, "lag": "unknown"}], "pause": true}`;

const view = (answer: string, ...changes: [string, string][]) =>
  clusterViewProbe("10.89.0.11:8008").parse(
    changes.reduce((text, [from, to]) => text.replace(from, to), answer),
  ) as ClusterView;

test.each<[string, string, Wanted, [string, string][], string | undefined]>([
  ["all stream, and one confirms commits", WHOLE, SYNC, [], undefined],
  [
    "no commit waits, and nobody confirms any",
    WHOLE,
    ASYNC,
    [["sync_standby", "replica"]],
    undefined,
  ],
  [
    "nobody confirms commits yet",
    WHOLE,
    SYNC,
    [["sync_standby", "replica"]],
    "0 of 1 replicas synchronous so far",
  ],
  [
    "too few of a quorum confirm them",
    WHOLE,
    QUORUM,
    [["sync_standby", "quorum_standby"]],
    "1 of 2 replicas synchronous so far",
  ],
  [
    "those confirm them whom another mode had do so",
    WHOLE,
    QUORUM,
    [],
    "0 of 2 replicas synchronous so far",
  ],
  ["a mode that is left behind still has one", WHOLE, ASYNC, [], "db2 still synchronous"],
  [
    "a replica is only starting",
    STARTING,
    SYNC,
    [],
    "db1 leader running, db2 sync_standby running, db3 replica starting",
  ],
  [
    "a replica is on a timeline that was left",
    WHOLE,
    SYNC,
    [['"timeline": 2, "lag": 16384', '"timeline": 1, "lag": 16384']],
    "db1 leader running, db2 sync_standby streaming, db3 replica streaming",
  ],
  [
    "a member has not registered",
    WHOLE,
    { ...SYNC, members: { ...SYNC.members, db4: "10.89.0.14:8008" } },
    [],
    "db1 leader running, db2 sync_standby streaming, db3 replica streaming",
  ],
])("a cluster of which %s is told as such", (_what, answer, wanted, changes, missing) => {
  expect(notReady(view(answer, ...changes), wanted)).toBe(missing);
});

test("a replica of Patroni 3.0, which calls it running, is as good as one that streams", () => {
  expect(
    notReady(
      view(
        STARTING,
        ['"state": "starting"', '"state": "running"'],
        ['"lag": "unknown"', '"timeline": 1, "lag": 0'],
      ),
      SYNC,
    ),
  ).toBeUndefined();
});
