import { expect, test } from "vitest";
import { FactError } from "../../src/errors";
import { clusterViewProbe, describeMembers, systemIdentifierProbe } from "../../src/facts/patroni";

const probe = clusterViewProbe("10.89.0.11:8008");

test("Patroni 4.0 tells members with role, state, timeline and lag", () => {
  const output = `{"members": [{"name": "db1", "role": "leader", "state": "running", "api_url": "http://10.89.0.11:8008/patroni", "host": "10.89.0.11", "port": 5432, "timeline": 2}, {"name": "db2", "role": "sync_standby", "state": "streaming", "api_url": "http://10.89.0.12:8008/patroni", "host": "10.89.0.12", "port": 5432, "timeline": 2, "lag": 0}, {"name": "db3", "role": "replica", "state": "streaming", "api_url": "http://10.89.0.13:8008/patroni", "host": "10.89.0.13", "port": 5432, "timeline": 2, "lag": 16384, "pending_restart": true}], "scope": "demo"}`;
  expect(probe.parse(output)).toEqual({
    paused: false,
    members: [
      { name: "db1", role: "leader", state: "running", timeline: 2, pendingRestart: false },
      {
        name: "db2",
        role: "sync_standby",
        state: "streaming",
        timeline: 2,
        lagBytes: 0,
        pendingRestart: false,
      },
      {
        name: "db3",
        role: "replica",
        state: "streaming",
        timeline: 2,
        lagBytes: 16384,
        pendingRestart: true,
      },
    ],
  });
});

test("Patroni 3.0 of Debian 12 says the same, with another state and an unknown lag", () => {
  const output = `{"members": [{"name": "db1", "role": "leader", "state": "running", "api_url": "http://10.89.0.11:8008/patroni", "host": "10.89.0.11", "port": 5432, "timeline": 1}, {"name": "db2", "role": "sync_standby", "state": "running", "api_url": "http://10.89.0.12:8008/patroni", "host": "10.89.0.12", "port": 5432, "timeline": 1, "lag": 0}, {"name": "db3", "role": "replica", "state": "starting", "api_url": "http://10.89.0.13:8008/patroni", "host": "10.89.0.13", "port": 5432, "lag": "unknown"}], "pause": true}`;
  const view = probe.parse(output);
  expect(view?.paused).toBe(true);
  expect(view?.members.map(({ role, lagBytes }) => [role, lagBytes])).toEqual([
    ["leader", undefined],
    ["sync_standby", 0],
    ["replica", undefined],
  ]);
  expect(describeMembers(view)).toBe(
    "db1 leader running, db2 sync_standby running, db3 replica starting",
  );
});

test("a master of old is a leader", () => {
  const output = `{"members": [{"name": "db1", "role": "master", "state": "running"}]}`;
  expect(probe.parse(output)?.members[0]?.role).toBe("leader");
});

test("a Patroni that does not answer is undefined, and an empty cluster is none", () => {
  expect(probe.parse("")).toBeUndefined();
  expect(probe.parse("{}")).toEqual({ paused: false, members: [] });
  expect(describeMembers(probe.parse(""))).toBe("no member has registered");
});

test("an answer that is no JSON is an error that shows its beginning", () => {
  expect(() => probe.parse(`<html>${"x".repeat(500)}`)).toThrow(FactError);
  expect(() => probe.parse("<html>")).toThrow(
    'http://10.89.0.11:8008/cluster: expected JSON, got "<html>".',
  );
});

test("members whose tags keep them from the lead are told", () => {
  const member = (name: string, tags?: object) => ({
    name,
    role: "replica",
    state: "running",
    tags,
  });
  const found = (...members: object[]) =>
    clusterViewProbe("10.89.0.11:8008").parse(JSON.stringify({ members }))?.neverLead;
  expect(
    found(
      member("db1", { nofailover: true }),
      member("db2", { failover_priority: 0 }),
      member("db3", { nofailover: false, failover_priority: 2 }),
    ),
  ).toEqual(["db1", "db2"]);
  expect(found(member("db3"))).toBeUndefined();
});

test("the system identifier keeps all its digits", () => {
  const output = `{"state": "running", "server_version": 170006, "database_system_identifier": "7575110915562803244", "patroni": {"version": "4.0.4", "scope": "demo"}}`;
  const identifier = systemIdentifierProbe("10.89.0.11:8008");
  expect(identifier.parse(output)).toBe("7575110915562803244");
  expect(identifier.parse('{"state": "starting"}')).toBeUndefined();
});
