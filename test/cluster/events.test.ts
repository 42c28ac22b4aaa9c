import { expect, test } from "vitest";
import { eventsBetween, lastKnown } from "../../src/cluster/events";
import type { ClusterStatus } from "../../src/operations/status";
import { says, seen, servers, unreachable, view, withoutPower } from "../operations/answers";

const texts = (...[before, after]: Parameters<typeof eventsBetween>) =>
  eventsBetween(before, after).map(({ severity, text }) => `${severity}: ${text}`);

test("nothing has happened between two looks at the same", () => {
  expect(texts(seen(), seen())).toEqual([]);
});

test("a leader without power is told with all that it takes along", () => {
  expect(texts(seen(), seen(...withoutPower("db1")))).toEqual([
    "bad: db1 leads no more, and nobody else does yet.",
    "bad: db1 cannot be asked: whether PostgreSQL is up is not known.",
    "bad: etcd on db1 cannot be asked.",
  ]);
});

test("a new leader is told with who follows it, and who leads there", () => {
  const roles = view({ db1: "replica", db2: "leader", db3: "sync_standby" });
  const standbys = [{ name: "db3", state: "streaming", syncState: "sync", lagBytes: 0 }];
  const after = seen(
    unreachable("db1"),
    says("db2", { view: roles, streams: { standbys } }),
    says("db3", { view: roles }),
    says("lb1", { servers: servers("db2", "db3", "none") }),
    says("lb2", { servers: servers("db2", "db3", "none") }),
  );
  expect(texts(seen(...withoutPower("db1")), after)).toEqual([
    "good: db2 leads.",
    "note: db3 streams from db2.",
    "note: db3 confirms commits now.",
    "note: lb1 leads writes to db2.",
    "note: lb2 leads writes to db2.",
  ]);
});

test("a virtual IP that moves is told by who holds it now", () => {
  const after = seen(unreachable("lb1"), says("lb2", { vipsHeld: ["10.89.0.100"] }));
  expect(texts(seen(), after)).toEqual([
    "bad: HAProxy on lb1 cannot be asked.",
    "good: lb2 holds the virtual IP.",
  ]);
});

test("replicas of a stack with backups are up during a failover, though none streams", () => {
  const archive = (roles: Parameters<typeof view>[0]) => ({
    view: {
      ...view(roles),
      members: view(roles).members.map((one) =>
        one.role === "leader" ? one : { ...one, state: "in archive recovery" },
      ),
    },
    streams: { standbys: [] },
  });
  const roles = { db1: "leader", db2: "sync_standby", db3: "replica" };
  const after = seen(
    ...withoutPower("db1").map((answer) =>
      answer.view ? { ...answer, ...archive(roles) } : answer,
    ),
  );
  const said = texts(seen(), after);
  expect(said).toContain("bad: db1 leads no more, and nobody else does yet.");
  expect(said.filter((text) => /db[23]/.test(text))).toEqual([]);
});

/** What is told over several looks, of each after the first. */
function toldOver(...looks: readonly ClusterStatus[]): string[][] {
  const [first, ...others] = looks as [ClusterStatus, ...ClusterStatus[]];
  let known = first;
  return others.map((look) => {
    const told = texts(known, look);
    known = lastKnown(known, look);
    return told;
  });
}

const HOSTS = ["db1", "db2", "db3", "lb1", "lb2"];
const SILENT = seen(...HOSTS.map(unreachable));
const paused = { view: { ...view(), paused: true } };
const PAUSED = ["db1", "db2", "db3"].map((host) => says(host, paused));

test("a moment in which no host can be asked changes nothing of what they say before and after", () => {
  const planned = { at: "2026-11-22T02:00:00+00:00" };
  const waits = {
    ...paused.view,
    scheduledSwitchover: planned,
    members: paused.view.members.map((one) => ({ ...one, pendingRestart: true })),
  };
  const before = seen(
    ...["db1", "db2", "db3"].map((host) =>
      says(host, { view: waits, member: { pendingRestart: true, paused: true, dcsLastSeen: 1 } }),
    ),
  );
  const [gone = [], still, back = [], again] = toldOver(before, SILENT, SILENT, before, before);
  expect(gone.sort()).toEqual([
    "bad: HAProxy on lb1 cannot be asked.",
    "bad: HAProxy on lb2 cannot be asked.",
    ...["db1", "db2", "db3"].map(
      (name) => `bad: ${name} cannot be asked: whether PostgreSQL is up is not known.`,
    ),
    ...["db1", "db2", "db3"].map((name) => `bad: etcd on ${name} cannot be asked.`),
  ]);
  expect(still).toEqual([]);
  expect(back.filter((text) => !/answers\.|is up|is healthy/.test(text))).toEqual([]);
  expect(again).toEqual([]);
});

test("what has changed meanwhile is told when hosts can be asked again", () => {
  const roles = view({ db1: "replica", db2: "leader", db3: "sync_standby" });
  const after = seen(
    says("db1", { view: roles, streams: { standbys: [] } }),
    says("db2", {
      view: roles,
      streams: { standbys: [{ name: "db3", state: "streaming", syncState: "sync", lagBytes: 0 }] },
    }),
    says("db3", { view: roles, streams: { standbys: [] } }),
    says("lb1", { servers: servers("db2", "db3", "none"), vipsHeld: [] }),
    says("lb2", { servers: servers("db2", "db3", "none"), vipsHeld: ["10.89.0.100"] }),
  );
  const [, told] = toldOver(seen(...PAUSED), SILENT, after);
  expect(told).toEqual(
    expect.arrayContaining([
      "good: db2 leads.",
      "note: db3 streams from db2.",
      "note: db3 confirms commits now.",
      "good: lb2 holds the virtual IP.",
      "note: lb1 leads writes to db2.",
      "note: The cluster is not paused any more.",
    ]),
  );
});

test("one balancer that is silent for a moment holds what it held", () => {
  const looks = [
    seen(),
    seen(unreachable("lb1")),
    seen(),
    seen(says("lb1", { servers: [] })),
    seen(),
  ];
  expect(toldOver(...looks)).toEqual([
    ["bad: HAProxy on lb1 cannot be asked."],
    ["good: HAProxy on lb1 answers."],
    ["bad: HAProxy on lb1 does not answer."],
    ["good: HAProxy on lb1 answers."],
  ]);
});

test("HAProxy that is down is told as soon as its host is reached again, and not before", () => {
  const away = seen(unreachable("lb1"));
  const down = seen(says("lb1", { servers: [], vipsHeld: [] }));
  expect(toldOver(seen(), away, away, down, away, down, seen())).toEqual([
    ["bad: HAProxy on lb1 cannot be asked."],
    [],
    ["bad: HAProxy on lb1 does not answer."],
    ["bad: HAProxy on lb1 cannot be asked."],
    ["bad: HAProxy on lb1 does not answer."],
    ["good: HAProxy on lb1 answers.", "good: lb1 holds the virtual IP."],
  ]);
  expect(toldOver(away, down).flat()).toEqual(["bad: HAProxy on lb1 does not answer."]);
});

test("what is heard for the first time is no event", () => {
  const [first = []] = toldOver(SILENT, seen(...PAUSED));
  expect(first.filter((text) => !/answers\.|is up|is healthy/.test(text))).toEqual([]);
});

test("the members' own silence, with balancers that still lead to them, is no change of leader", () => {
  const members = ["db1", "db2", "db3"].map(unreachable);
  const back = toldOver(seen(...PAUSED), seen(...members), seen(...PAUSED)).flat();
  expect(back.filter((text) => /leads|paused|confirms|streams/.test(text))).toEqual([]);
});

test("a leader that only the balancers show is told once", () => {
  const looks = [
    seen(...PAUSED),
    ...[1, 2].map(() =>
      seen(
        ...["db1", "db2", "db3"].map(unreachable),
        says("lb1", { servers: servers("db2", "db3", "none") }),
        says("lb2", { servers: servers("db2", "db3", "none") }),
      ),
    ),
  ];
  const told = toldOver(...looks).map((one) => one.filter((text) => text.includes(" leads.")));
  expect(told).toEqual([["good: db2 leads."], []]);
});
