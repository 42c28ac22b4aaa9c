import { expect, test } from "vitest";
import type { LoadedFiles } from "../../src/facts/loaded";
import { assembleStatus } from "../../src/operations/status";
import { answers, AT, PLAN, says, seen, servers, unreachable, view, withoutPower } from "./answers";

test("a cluster that is as the stack says is healthy, and nothing is wrong", () => {
  const status = seen();
  expect(status).toMatchObject({ cluster: "demo", health: "healthy", healthy: true, problems: [] });
  expect(status.members).toMatchObject([
    { name: "db1", role: "leader", lagBytes: undefined },
    { name: "db2", lagBytes: 0, lagSeconds: 0, syncState: "sync", upstream: "db1" },
    { name: "db3", lagBytes: 16384, lagSeconds: 0.25, syncState: "async", upstream: "db1" },
  ]);
  expect(status.dcs.members.map(({ leader }) => leader)).toEqual([true, false, false]);
  expect(status.loadBalancers[0]).toMatchObject({
    holdsVip: true,
    answers: true,
    entrances: { primary: ["db1"], replica: ["db2", "db3"] },
  });
});

test("a setting that waits for a restart is told, with since when and what restarts", () => {
  const member = { pendingRestart: true, paused: false, dcsLastSeen: 1 };
  const pendingSettings = { max_connections: { running: "200", wanted: "100" } };
  const startedAt = "2026-11-29 14:49:13.915618+00:00";
  const told = (answer: Parameters<typeof says>[1]) => seen(says("db2", answer));
  expect(told({ member: { ...member, pendingSettings, startedAt } })).toMatchObject({
    health: "degraded",
    problems: [
      "db2: max_connections (200 → 100) waits for a restart of PostgreSQL, which runs since 2026-11-29 14:49:13: pulumi up restarts it.",
    ],
  });
  // Patroni before 3.3 tells no names, and may have a reason that PostgreSQL does not know.
  expect(told({ member }).problems).toEqual([
    "db2: a setting waits for a restart of PostgreSQL: pulumi up restarts it.",
  ]);
  // A change that was taken back before any restart.
  const back = { huge_pages: { running: "try", wanted: "try" } };
  expect(told({ member: { ...member, pendingSettings: back } }).problems).toContain(
    "db2: huge_pages waits for a restart of PostgreSQL: pulumi up restarts it.",
  );
});

test("a mark that a restart would not change is no setting that waits", () => {
  const pendingSettings = { huge_pages: { running: "try", wanted: "try" } };
  const member = { pendingRestart: true, paused: false, dcsLastSeen: 1, pendingSettings };
  const loaded: LoadedFiles = {
    ...{ errors: [], hba: [], isRead: true, altered: {}, configured: {}, overrides: [] },
    ...{ waiting: { count: 0, seconds: 0 }, synchronousStandbyNames: "" },
    ...{ pending: ["huge_pages"], unchanged: ["huge_pages"] },
  };
  const { health, members } = seen(says("db2", { member, loaded }));
  expect(health).toBe("healthy");
  expect(members.map(({ pendingRestart }) => pendingRestart)).toEqual([false, false, false]);
  const port = { running: "5432", wanted: "5433" };
  const both = { ...member, pendingSettings: { ...pendingSettings, port } };
  expect(seen(says("db2", { member: both, loaded })).problems).toEqual([
    "db2: port (5432 → 5433) waits for a restart of PostgreSQL: pulumi up restarts it.",
  ]);
});

test("what only stands in the titles of processes, or only a replay needs, is no problem", () => {
  const member = { pendingRestart: true, paused: false, dcsLastSeen: 1 };
  for (const name of ["cluster_name", "hot_standby"]) {
    const pendingSettings = { [name]: { running: "main", wanted: "demo" } };
    expect(seen(says("db2", { member: { ...member, pendingSettings } })).health).toBe("healthy");
  }
  // Nor what is told of a leader that was made from a backup, where Patroni gives no names.
  expect(seen(says("db1", { member })).health).toBe("healthy");
});

test("a primary that goes on without its lease takes writes, where clients are led to it or look for it", () => {
  const alone = {
    view: view({ db1: "replica", db2: "replica", db3: "replica" }),
    streams: { writes: true as const, standbys: [] },
  };
  const others = { view: alone.view };
  const all = answers(says("db1", alone), says("db2", others), says("db3", others));
  const problem = "Nobody leads in the DCS, though db1 takes writes.";
  const led = assembleStatus(PLAN, all, AT);
  expect([led.health, led.problems[0]]).toEqual(["degraded", problem]);
  const direct = assembleStatus({ ...PLAN, entryPoint: undefined }, all, AT);
  expect([direct.health, direct.problems[0]]).toEqual(["degraded", problem]);
  const lost = all.map((answer) => ({
    ...answer,
    servers: answer.servers?.map((one) => ({ ...one, status: "DOWN" })),
  }));
  expect(assembleStatus(PLAN, lost, AT).health).toBe("down");
});

test("a replica that is away leaves the cluster degraded, and is said once", () => {
  const { health, members, problems } = seen(...withoutPower("db3", "expired"));
  expect(health).toBe("degraded");
  expect(members[2]).toMatchObject({ name: "db3", state: "no answer", condition: "silent" });
  expect(problems).toEqual(["db3: cannot be reached."]);
});

test("a leader that does not answer for itself leads no more, whatever the DCS still holds", () => {
  const { health, problems } = seen(...withoutPower("db1"));
  expect(health).toBe("down");
  expect(problems[0]).toBe("No member leads: no writes are possible.");
});

test("a leader that only this machine cannot reach leads all the same, as the balancers show", () => {
  const { health, members, problems } = seen(unreachable("db1"));
  expect(health).toBe("degraded");
  expect(members[0]).toMatchObject({
    ...{ name: "db1", role: "leader", state: "running", condition: "serving" },
    seenBy: ["lb1", "lb2"],
  });
  expect(problems).toEqual([
    "db1: cannot be reached.",
    "db1 leads all the same: lb1 and lb2 lead writes to it.",
  ]);
});

test("a replica that only this machine cannot reach is as the others see it", () => {
  const { health, members, problems } = seen(unreachable("db2"));
  expect(health).toBe("degraded");
  expect(members[1]).toMatchObject({
    ...{ name: "db2", role: "sync_standby", state: "streaming", condition: "serving" },
    ...{ lagBytes: 0, upstream: "db1", seenBy: ["lb1", "lb2"] },
  });
  expect(problems).toEqual([
    "db2: cannot be reached.",
    "db2 takes reads all the same: lb1 and lb2 lead them to it.",
  ]);
});

test("where neither the leader nor a balancer can be asked, it is not known whether there are writes", () => {
  const { health, problems, members, dcs } = seen(...["db1", "lb1", "lb2"].map(unreachable));
  expect(health).toBe("unknown");
  expect(problems[0]).toBe(
    "It is not known whether writes are possible: db1 and the load balancers could not be asked.",
  );
  expect(members[0]).toMatchObject({ name: "db1", state: "unknown", condition: "unknown" });
  expect(dcs.members[0]).toMatchObject({ host: "db1", unknown: true });
  expect(problems).toContain("Who holds the virtual IP 10.89.0.100 is not known.");
  expect(problems.join()).not.toMatch(/etcd|HAProxy/);
});

test("where the leader answers and no balancer can be asked, it is not known whether clients reach it", () => {
  const { health, problems } = seen(unreachable("lb1"), unreachable("lb2"));
  expect(health).toBe("unknown");
  expect(problems[0]).toBe(
    "It is not known whether clients reach db1: lb1 and lb2 could not be asked.",
  );
});

test("etcd members that cannot be asked are no lost majority, since one that is healthy has one", () => {
  const { problems } = seen(unreachable("db2"), unreachable("db3"));
  expect(problems.join()).not.toMatch(/etcd/);
});

test.each(["in archive recovery", "running"])(
  "a replica that Patroni calls %s is up, though it does not stream at the moment",
  (state) => {
    const members = view().members.map((one) => (one.name === "db3" ? { ...one, state } : one));
    const all = ["db1", "db2", "db3"].map((host) => says(host, { view: { ...view(), members } }));
    expect(seen(...all)).toMatchObject({
      health: "healthy",
      members: [{}, {}, { name: "db3", state, condition: "serving" }],
    });
  },
);

test("what a member's Patroni says of it now counts for more than its entry in the DCS", () => {
  const now = { pendingRestart: false, paused: false, dcsLastSeen: 1 };
  const told = (member: object) =>
    seen(says("db3", { member: { ...now, ...member } })).members[2]?.state;
  expect(told({ state: "starting" })).toBe("starting");
  expect(told({ state: "running", replication: "in archive recovery" })).toBe(
    "in archive recovery",
  );
  expect(told({ state: "running" })).toBe("streaming");
});

test("a word of Patroni's that pgherd does not know is called unknown, not down", () => {
  const members = view().members.map((one) =>
    one.name === "db3" ? { ...one, state: "hibernating" } : one,
  );
  const all = ["db1", "db2", "db3"].map((host) => says(host, { view: { ...view(), members } }));
  expect(seen(...all).problems).toEqual([
    'db3: it is not known whether PostgreSQL is up (Patroni calls it "hibernating").',
  ]);
});

test.each(["start failed", "stopped"])("a member that is %s is told with what helps", (state) => {
  const { members } = view();
  const db3 = {
    ...view(),
    members: members.map((one) => (one.name === "db3" ? { ...one, state } : one)),
  };
  const told = (paused: boolean) =>
    seen(...["db1", "db2", "db3"].map((host) => says(host, { view: { ...db3, paused } }))).problems;
  expect(told(false)).toContain(
    `db3: PostgreSQL is not up (${state}). Patroni tries again; should it stay so, \`pgherd logs db3\` tells why, and \`pgherd reinit db3\` makes it anew from the leader or a backup.`,
  );
  // Nothing is tried then.
  if (state === "stopped") expect(told(true)).toContain("db3: PostgreSQL is not up (stopped).");
});

test("where no balancer leads to the leader there are no writes", () => {
  const nobody = servers("none");
  const { health, problems } = seen(
    says("lb1", { servers: nobody }),
    says("lb2", { servers: nobody }),
  );
  expect(health).toBe("down");
  expect(problems).toEqual([
    "No load balancer leads to db1: no writes are possible.",
    "lb1: HAProxy leads writes to nobody, not to db1.",
    "lb2: HAProxy leads writes to nobody, not to db1.",
  ]);
});

test.each([
  ["absent", "enabled", /^lb1: the firewall's rules are not loaded: .* systemctl restart /],
  ["changed", "enabled", /^lb1: the firewall's rules are not those that pgherd has loaded/],
  ["active", "disabled", /^lb1: .* will not be loaded when it starts again .* is disabled/],
] as const)("a firewall that is %s and %s is told, with what to do", (loaded, enabled, said) => {
  const { health, problems } = seen(says("lb1", { firewall: { loaded, enabled } }));
  expect(health).toBe("degraded");
  expect(problems).toEqual([expect.stringMatching(said)]);
});

test("a firewall that is loaded, and will be, is no problem", () => {
  const firewall = { loaded: "active", enabled: "enabled" } as const;
  expect(seen(says("lb1", { firewall })).health).toBe("healthy");
});

test("a balancer that leads writes to another member is told", () => {
  expect(seen(says("lb2", { servers: servers("db3") })).problems).toEqual([
    "lb2: HAProxy leads writes to db3, not to db1.",
  ]);
});

test("a virtual IP that nobody holds, or two, is told", () => {
  expect(seen(says("lb1", { vipsHeld: [] })).problems).toEqual([
    "The virtual IP 10.89.0.100 is held by nobody.",
  ]);
  expect(seen(says("lb2", { vipsHeld: ["10.89.0.100"] })).problems).toEqual([
    "The virtual IP 10.89.0.100 is held by lb1 and lb2.",
  ]);
});

test("a member whose data disk is not there is told with that as the reason", () => {
  const place = "the file system of /srv/pg/main is not there: it was mounted at /srv/pg.";
  const { problems } = seen(says("db3", { view: undefined, place }));
  expect(problems).toContain(`db3: ${place}`);
  expect(problems.join()).not.toContain("Patroni does not answer");
});

test("a member without room for its data is told with where, also while it runs, and is not said to need a new copy", () => {
  const full = [{ of: "/data/pg_wal", mount: "/wal", free: 0, noFiles: false }];
  const told =
    "db3: the file system at /wal, where /data/pg_wal is, is full: it has 0 B left for PostgreSQL. " +
    "Make room there, or enlarge it, and delete nothing by hand of what is PostgreSQL's, pg_wal least of all";
  expect(seen(says("db3", { full })).problems).toEqual([`${told}.`]);
  const down = seen(says("db3", { full, member: { state: "start failed" } as never }));
  expect(down.problems).toContain(`${told}: Patroni then starts it by itself.`);
  expect(down.problems.join()).not.toContain("reinit");
});

test("a server that stands still is told although its Patroni has not noticed, and one that says why it lets nobody in by that alone", () => {
  const still = { loaded: undefined, streams: undefined };
  const told = (db3: object) =>
    seen(says("db3", db3)).problems.filter((one) => one.startsWith("db3"));
  expect(told(still)).toEqual([
    'db3: PostgreSQL does not answer, although Patroni calls it "streaming": it stands still, or its disk does.',
  ]);
  expect(told({ ...still, shutOut: "terminating connection" })).toEqual([
    expect.stringMatching(/^db3: PostgreSQL lets nobody in: terminating connection\./),
  ]);
});

test("a full etcd is told by its alarm, with what helps, and not as one without a majority", () => {
  const full = {
    ...{ healthy: true, leader: false, databaseBytes: 21_000_192, usedBytes: 40_960 },
    ...{ quotaBytes: 16 * 2 ** 20, alarms: ["NOSPACE"] },
  };
  const all = ["db1", "db2", "db3"].map((host) => says(host, { dcs: full }));
  const { health, problems } = seen(...all);
  expect(health).toBe("degraded");
  expect(problems).toEqual([
    "The DCS (etcd) is full and takes no writes (alarm NOSPACE): nobody can be elected to lead, and no setting be changed. " +
      "Its database on db1 has 20 MB, 40 kB of it in use; dcs.quota is 16 MB. " +
      "`pgherd dcs defrag` gives back what is not in use and takes the alarm back; raise the quota if that is not enough.",
  ]);
  const other = says("db1", { dcs: { ...full, alarms: ["CORRUPT"] } });
  expect(seen(other).problems).toEqual([expect.stringContaining("the alarm CORRUPT")]);
});

test("an etcd without a majority is told as what it means", () => {
  const ill = { dcs: { healthy: false, leader: false, alarms: [] } };
  expect(seen(says("db2", ill)).problems).toEqual(["db2: etcd is not healthy."]);
  expect(seen(says("db2", ill), says("db3", ill)).problems).toEqual([
    "db2: etcd is not healthy.",
    "db3: etcd is not healthy.",
    "The DCS (etcd) has no majority: nobody can be elected to lead.",
  ]);
});

test("a cluster in which no replica confirms commits, though one should, is degraded", () => {
  const alone = { view: view({ db1: "leader", db2: "replica", db3: "replica" }) };
  const { health, problems } = seen(says("db1", alone), says("db2", alone), says("db3", alone));
  expect(health).toBe("degraded");
  expect(problems).toEqual(["0 of 1 replicas confirm commits."]);
});

test("if no host answers, nothing is known", () => {
  const all = ["db1", "db2", "db3", "lb1", "lb2"].map(unreachable);
  const status = assembleStatus(PLAN, answers(...all), AT);
  expect(status.health).toBe("unknown");
  expect(status.problems).toEqual([expect.stringMatching(/^db1, db2, db3, lb1, lb2: /)]);
  expect(status.members.map(({ name, state }) => `${name} ${state}`)).toEqual([
    "db1 unknown",
    "db2 unknown",
    "db3 unknown",
  ]);
});

test("a cluster of another name on the hosts is not taken for the stack's", () => {
  const member = { pendingRestart: false, paused: false, dcsLastSeen: 1 };
  expect(seen(says("db1", { member: { ...member, scope: "demo" } })).health).toBe("healthy");
  const { health, problems, members } = seen(
    says("db2", { member: { ...member, scope: "orders" } }),
  );
  expect(health).toBe("unknown");
  expect(problems).toEqual([
    "db2: expected a member of the cluster demo, found one of the cluster orders. Is it the right stack (--stack)?",
  ]);
  expect(members.map(({ role, state }) => `${role} ${state}`)).toEqual(
    members.map(() => "unknown unknown"),
  );
});

test("a member's timeline is its own, however old Patroni's view of it is", () => {
  const members = view().members.map((one) => ({ ...one, timeline: 1 }));
  const old = { view: { ...view(), members } };
  const streams = { timeline: 2, standbys: [] };
  const { members: told } = seen(
    says("db1", old),
    says("db2", { ...old, streams }),
    says("db3", { ...old, streams: undefined }),
  );
  expect(told.map(({ name, timeline }) => `${name} ${timeline}`)).toEqual([
    "db1 2",
    "db2 2",
    "db3 1",
  ]);
});

test("a replica that streams from nobody though there is a leader is told, with the remedy", () => {
  const standbys = [{ name: "db2", state: "streaming", syncState: "sync", lagBytes: 0 }];
  const members = view().members.map((one) =>
    one.name === "db3" ? { ...one, state: "running", timeline: 1 } : one,
  );
  const told = { view: { ...view(), members } };
  const { health, problems } = seen(
    says("db1", { ...told, streams: { timeline: 2, standbys } }),
    says("db2", told),
    says("db3", { ...told, streams: { standbys: [] } }),
  );
  expect(health).toBe("degraded");
  expect(problems).toEqual([
    "db3: does not stream from anybody (timeline 1; db1 is on 2). Should it stay so, `pgherd logs db3` tells why, and `pgherd reinit db3` makes it anew from the leader or a backup.",
  ]);
});
