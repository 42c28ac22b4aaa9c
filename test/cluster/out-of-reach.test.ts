import { beforeEach, expect, test } from "vitest";
import { ConnectError } from "../../src/errors";
import type { Host, Probe } from "../../src/host/host";
import type { Cluster, OperatorPlan } from "../../src/cluster/cluster";
import { patroniHistory } from "../../src/cluster/history";
import { Looks } from "../../src/cluster/looks";
import { considerRestart } from "../../src/cluster/restart";
import { performPause } from "../../src/cluster/members";
import { considerSwitchover } from "../../src/cluster/switchover";

// A cluster of which this machine cannot reach one member, though the others can: they are all that is asked.

const MEMBERS = { db1: "10.89.0.11:8008", db2: "10.89.0.12:8008", db3: "10.89.0.13:8008" };

const PLAN: OperatorPlan = {
  name: "demo",
  patroni: {
    members: MEMBERS,
    ...{ port: 5432, neverLead: [], synchronous: { role: "sync_standby", count: 1 } },
    rolling: { maximumLag: 1_000_000, longestTransaction: 15, drain: 15 },
  },
  dcs: {
    kind: "etcd",
    members: Object.fromEntries(Object.keys(MEMBERS).map((name) => [name, `http://${name}:2379`])),
  },
  entryPoint: { hosts: ["lb1"], vips: [], statsPort: 7000 },
  ownDcs: [],
  firewalls: [],
};

let away: string;
let leader: string;
let paused: boolean;
let done: string[];
/** One that is not answered for so long. */
let slow: string;

beforeEach(() => {
  [away, leader, slow] = ["db1", "db1", ""];
  paused = false;
  done = [];
});

const names = Object.keys(MEMBERS);
const second = () => names.find((name) => name !== leader);

/** A line of HAProxy's statistics. */
function row(entrance: string, server: string, up: boolean): string {
  return [entrance, server, ...Array<string>(15).fill("0"), up ? "UP" : "DOWN"].join(",");
}

/** What a program on a host prints. */
function answer(name: string, script: string): string {
  const streams = names
    .filter((one) => one !== leader)
    .map((one) => ({ name: one, state: "streaming", syncState: "async", lagBytes: 0 }));
  if (script.includes("8008/cluster"))
    return JSON.stringify({
      pause: paused,
      members: names.map((one) => ({
        name: one,
        role: one === leader ? "leader" : one === second() ? "sync_standby" : "replica",
        state: one === leader ? "running" : "streaming",
        timeline: 1,
        lag: 0,
      })),
    });
  if (script.includes("8008/patroni")) return JSON.stringify({ state: "running", pause: paused });
  if (script.includes("8008/history")) return "[]";
  if (script.includes("pg_stat_replication"))
    return JSON.stringify(
      name === leader
        ? { timeline: 1, standbys: streams }
        : { timeline: 1, sender: MEMBERS[leader as "db1"].replace(/:.*/, ""), standbys: [] },
    );
  if (script.includes("/v3/kv/range")) return "healthy\n";
  if (script.includes("/dev/tcp/127.0.0.1/7000"))
    return names
      .flatMap((one) => [row("primary", one, one === leader), row("replica", one, one !== leader)])
      .join("\n");
  if (script.includes("json_build_object('pid'")) return "[]";
  return "";
}

const cluster: Cluster = {
  plan: PLAN,
  progress: () => undefined,
  host: (name) =>
    ({
      async observe<T>(probe: Probe<T>): Promise<T> {
        if (name === slow) return new Promise(() => undefined);
        if (name === away) throw new ConnectError(name, "cannot be reached.");
        return probe.parse(answer(name, probe.script));
      },
      async change(action: string) {
        if (name === away) throw new ConnectError(name, "cannot be reached.");
        done.push(`${name}: ${action}`);
        paused = true;
        return "";
      },
    }) as unknown as Host,
};

test("a pause is asked of a member that can be reached, and known by those that can", async () => {
  await performPause(cluster, true);
  expect(done).toEqual(["db2: pausing"]);
});

test("a leader that cannot be reached hands its lead over by another member's Patroni, where one insists", async () => {
  expect(await considerSwitchover(cluster, {})).toMatchObject({
    ...{ from: "db1", to: "db2", via: "db2", witness: "db2", refusals: [] },
    objections: [
      "db1 cannot be reached from here: whether long transactions or backups run there, which would be cut, is not known.",
    ],
  });
});

test("a candidate that cannot be reached takes over all the same, and it is said who sees it", async () => {
  away = "db2";
  const intent = await considerSwitchover(cluster, { to: "db2" });
  expect(intent).toMatchObject({
    to: "db2",
    via: "db1",
    witness: "db1",
    refusals: [],
    objections: [],
  });
  expect(intent.effects).toContain(
    "db2 cannot be reached from here: what is told of it, the others tell. lb1 reaches it.",
  );
});

test("what a member itself would have to do is refused where it cannot be reached", async () => {
  expect((await considerRestart(cluster, "db1", {})).refusals).toEqual([
    "db1 cannot be reached from here, and the Patroni there is the one that restarts PostgreSQL.",
  ]);
});

test("a restart says which balancer cannot be asked to drain the member", async () => {
  away = "lb1";
  expect((await considerRestart(cluster, "db3", {})).effects).toContain(
    "lb1 cannot be reached from here, and drains nothing: sessions that came to db3 that way are cut.",
  );
});

test("a replica says itself from whom it streams, where the leader cannot be asked", async () => {
  const { members } = await new Looks(cluster).look();
  expect(members.map(({ name, upstream, unasked }) => [name, upstream, unasked])).toEqual([
    ["db1", undefined, true],
    ["db2", "db1", undefined],
    ["db3", "db1", undefined],
  ]);
});

test("a host that was away in the last look is not waited for in the next", async () => {
  away = "";
  slow = "db3";
  const looks = new Looks(cluster);
  const first = await looks.look();
  expect(first.problems).toContain("db3: no answer for 2.5 s.");
  const start = Date.now();
  await looks.look();
  expect(Date.now() - start).toBeLessThan(1000);
});

test("the history tells what the others know, and who could not be asked", async () => {
  expect((await patroniHistory(cluster)).missing).toEqual(["db1: cannot be reached."]);
});
