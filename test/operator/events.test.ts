import { expect, test } from "vitest";
import { eventsBetween } from "../../src/operator/events";
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
    "bad: HAProxy on lb1 does not answer.",
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
