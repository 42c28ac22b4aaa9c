import { expect, test } from "vitest";
import type { OperatorPlan } from "../../src/cluster/cluster";
import { planFailover } from "../../src/cluster/failover";
import { IDLE as NOTHING, type Activity } from "../../src/cluster/activity";
import { planSwitchover, type SwitchoverActivity } from "../../src/cluster/switchover";
import { judgeWrites } from "../../src/operations/writes";
import { PLAN, says, seen, unreachable, view, withoutPower } from "../operations/answers";

const PLANNED: OperatorPlan = {
  ...PLAN,
  patroni: {
    ...PLAN.patroni,
    neverLead: [],
    rolling: { maximumLag: 1_000_000, longestTransaction: 15, drain: 15 },
  },
};
const IDLE: SwitchoverActivity = { leader: NOTHING, candidate: NOTHING };
const ill = { dcs: { healthy: false, leader: false, alarms: [] } };

test("the synchronous replica takes over, and it is said what that means", () => {
  const intent = planSwitchover(PLANNED, seen(), IDLE, {});
  expect(intent).toMatchObject({ from: "db1", to: "db2", refusals: [], objections: [] });
  expect(intent.effects).toEqual([
    "db2 (sync standby, 0 B behind) takes the lead from db1, which becomes a replica.",
    "db3 then streams from db2.",
    "No writes for some seconds; sessions on the primary's port are cut and have to connect again. Reads go on.",
  ]);
});

test("nobody takes over while Patroni's new sessions could not ask their servers", () => {
  const blinding = ['role is "auditor" by ALTER DATABASE "postgres": …'];
  expect(planSwitchover(PLANNED, seen(), { ...IDLE, blinding }, {}).refusals).toEqual(blinding);
});

test("a replica that confirms no commits is refused, with who would do", () => {
  expect(planSwitchover(PLANNED, seen(), IDLE, { to: "db3" }).refusals).toEqual([
    "db3 confirms no commits (replica, 16384 B behind), so Patroni would not hand the lead to it. Take db2.",
  ]);
});

test("with asynchronous replication any replica does, unless it is too far behind", () => {
  const plan = { ...PLANNED, patroni: { ...PLANNED.patroni, synchronous: null } };
  expect(planSwitchover(plan, seen(), IDLE, { to: "db3" }).refusals).toEqual([]);
  const behind = [{ name: "db3", state: "streaming", syncState: "async", lagBytes: 2e6 }];
  expect(
    planSwitchover(plan, seen(says("db1", { streams: { standbys: behind } })), IDLE, { to: "db3" })
      .refusals,
  ).toEqual([
    "db3 is too far behind (replica, 2000000 B behind; 1000000 B are allowed). Take db2.",
  ]);
});

test.each([
  ["the leader itself", "db1", "db1 leads already."],
  ["nobody's name", "db9", '--to: expected one of db1, db2, db3, got "db9".'],
])("%s is refused", (_title, to, reason) => {
  expect(planSwitchover(PLANNED, seen(), IDLE, { to }).refusals).toEqual([reason]);
});

test("a member that may never lead, or is away, is refused", () => {
  const tagged = { ...PLANNED, patroni: { ...PLANNED.patroni, neverLead: ["db2"] } };
  expect(planSwitchover(tagged, seen(), IDLE, { to: "db2" }).refusals[0]).toMatch(
    /^db2 may never lead: its tags/,
  );
  const to = { to: "db2" };
  const without = seen(...withoutPower("db2", "expired"));
  expect(planSwitchover(PLANNED, without, IDLE, to).refusals).toEqual([
    "db2 is not up (no answer).",
  ]);
  expect(planSwitchover(PLANNED, seen(...withoutPower("db2")), IDLE, to).refusals).toEqual([
    "it is not known whether db2 could lead (unknown).",
  ]);
});

test("where nobody is named, whoever is too far behind is passed over for one that is not", () => {
  const standbys = ["db2", "db3"].map((name) => ({
    ...{ name, state: "streaming", syncState: "sync" },
    lagBytes: name === "db3" ? 2e6 : 0,
  }));
  const both = view({ db1: "leader", db2: "sync_standby", db3: "sync_standby" });
  const status = seen(
    says("db1", { view: both, streams: { standbys } }),
    unreachable("db2"),
    says("db3", { view: both }),
  );
  expect(planSwitchover(PLANNED, status, IDLE, {})).toMatchObject({ to: "db2", refusals: [] });
});

test("where nobody may take over, it is said of each why", () => {
  const tagged = { ...PLANNED, patroni: { ...PLANNED.patroni, neverLead: ["db2"] } };
  expect(planSwitchover(tagged, seen(), IDLE, {}).refusals).toEqual([
    "No member may take over: db2 may never lead: its tags in the stack say so (nofailover, failover_priority 0); " +
      "db3 confirms no commits (replica, 16384 B behind), so Patroni would not hand the lead to it.",
  ]);
});

test("a candidate that only this machine cannot reach is taken where it is named, and said to be seen by others", () => {
  const intent = planSwitchover(PLANNED, seen(unreachable("db2")), IDLE, { to: "db2" });
  expect(intent).toMatchObject({ to: "db2", via: "db1", refusals: [] });
  expect(intent.effects[1]).toBe(
    "db2 cannot be reached from here: what is told of it, the others tell. lb1 and lb2 reach it.",
  );
});

test("without a leader or a majority of etcd there is no switchover", () => {
  expect(planSwitchover(PLANNED, seen(...withoutPower("db1")), IDLE, {}).refusals[0]).toMatch(
    /^No member leads .*`pgherd failover` is for that\.$/,
  );
  const lost = seen(says("db2", ill), says("db3", ill));
  expect(planSwitchover(PLANNED, lost, IDLE, {}).refusals).toEqual([
    "the DCS (etcd) has no majority: the lead can be handed to nobody.",
  ]);
});

test("the lead of a standby cluster is not moved: that would make nobody take writes", () => {
  const status = seen();
  const members = status.members.map((member) => ({
    ...member,
    role: member.role === "leader" ? "standby_leader" : "replica",
  }));
  const follows = { ...status, members };
  const reason =
    "db1 leads a standby cluster: it follows the server that is migrated, and takes no writes before `until: cutOver`.";
  const refused = { refusals: [reason], objections: [], effects: [] };
  expect(planSwitchover(PLANNED, follows, IDLE, {})).toEqual(refused);
  expect(planFailover(PLANNED, follows, { to: "db2" })).toEqual(refused);
  expect(judgeWrites(PLANNED, follows, [])).toEqual({ possible: "no", problem: reason });
});

test("long transactions and backups speak against it now, and not against a later one", () => {
  const working: Activity = {
    transactions: [{ pid: 7, user: "app", database: "app", seconds: 90 }],
    backups: [{ pid: 8, by: "barman", seconds: 300 }],
  };
  const busy = { ...IDLE, leader: working };
  expect(planSwitchover(PLANNED, seen(), busy, {}).objections).toEqual([
    "db1: a transaction of app in app has been open for 90 s (process 7; 15 s are allowed). It would be cut.",
    "db1: barman has been copying its data for 300 s (process 8). It would be cut.",
  ]);
  const later = planSwitchover(PLANNED, seen(), busy, { at: "2026-11-22T02:00:00.000Z" });
  expect(later.objections).toEqual([]);
  expect(later.effects[0]).toBe("Patroni does it by itself at 2026-11-22T02:00:00.000Z.");
});

test("a copy that is taken from the candidate speaks against it too, and its readers do not", () => {
  const busy: Activity = {
    transactions: [{ pid: 7, user: "app", database: "app", seconds: 90 }],
    backups: [{ pid: 9, by: "pg_basebackup", seconds: 60 }],
  };
  expect(planSwitchover(PLANNED, seen(), { ...IDLE, candidate: busy }, {}).objections).toEqual([
    "db2: pg_basebackup has been copying its data for 60 s (process 9). It would be cut.",
  ]);
});

test("a failover is refused while somebody leads", () => {
  expect(planFailover(PLANNED, seen(), {}).refusals).toEqual([
    "db1 leads and runs: `pgherd switchover` hands its lead over without loss.",
  ]);
});

test("a failover to the synchronous replica loses nothing; to another one it may, and that must be accepted", () => {
  const lost = seen(...withoutPower("db1"));
  expect(planFailover(PLANNED, lost, {})).toMatchObject({
    to: "db2",
    refusals: [],
    objections: [],
  });
  expect(planFailover(PLANNED, lost, { to: "db3" }).objections).toEqual([
    "Commits that db3 has not received are lost: it did not have to confirm them (replica, 0 B behind).",
  ]);
});

test("without a majority of etcd nobody can be made the leader", () => {
  const lost = seen(
    ...withoutPower("db1").map((answer) => (answer.dcs ? { ...answer, ...ill } : answer)),
  );
  expect(planFailover(PLANNED, lost, {}).refusals).toEqual([
    "the DCS (etcd) has no majority: nobody can be made the leader before it has one.",
  ]);
});

test("a failover takes a replica that replays from the backups' archive: that is what all do while nobody leads", () => {
  const lost = seen(
    ...withoutPower("db1").map((answer) =>
      answer.view
        ? {
            ...answer,
            view: {
              ...view(),
              paused: true,
              members: view().members.map((one) =>
                one.role === "leader" ? one : { ...one, state: "in archive recovery" },
              ),
            },
          }
        : answer,
    ),
  );
  expect(planFailover(PLANNED, lost, {})).toMatchObject({ to: "db2", refusals: [] });
  expect(planFailover(PLANNED, lost, { to: "db3" })).toMatchObject({ to: "db3", refusals: [] });
});

test("a leader that only this machine cannot reach is not failed over from", () => {
  expect(planFailover(PLANNED, seen(unreachable("db1")), { to: "db2" }).refusals).toEqual([
    "db1 leads and runs: `pgherd switchover` hands its lead over without loss.",
  ]);
});
