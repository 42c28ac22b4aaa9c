import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { brokenPromises } from "../../src/lab/chaos/checker";
import type { Roles } from "../../src/lab/chaos/schedule";
import { down } from "../../src/lab/down";
import type { Wish } from "../../src/lab/faults/catalog";
import { during, inflict, recordedFaults } from "../../src/lab/faults/inflict";
import { inside } from "../../src/lab/faults/inside";
import { powerOff, powerOn } from "../../src/lab/power";
import { experiment, longest } from "./experiment";
import { DCS, FULL } from "./harness";
import { LabCluster, leaderOf, until, type Mode } from "./lab-cluster";

// What a cluster keeps when something breaks, counted row by row: the table of failures, R1 to R29, in the modes that each
// names. A fault is in force for a while under load; then all members have to be whole again by themselves.

const LAB = "t-faults";
const ALL: readonly Mode[] = ["asynchronous", "synchronous", "quorum"];
const SAFE: readonly Mode[] = ["synchronous", "strict", "quorum"];
/** Far more than a lease and what comes after it: figures are the benchmark's business. */
const LEASE_SECONDS = 60;

interface Case {
  readonly name: string;
  readonly modes: readonly Mode[];
  readonly lasts: number;
  readonly wish?: (roles: Roles) => Wish;
  readonly meanwhile?: (roles: Roles, inMode: LabCluster) => Promise<void>;
  /** Seconds without a write, at most. */
  readonly interruption: number;
  /** How often the lead may go over. */
  readonly failovers: number;
  /** Whether no member may take writes, asked by itself, while another one does: not so without a watchdog. */
  readonly fenced: boolean;
}

const CASES: readonly Case[] = [
  {
    name: "R1: PostgreSQL of the leader is killed and starts again in place",
    modes: ALL,
    lasts: 1,
    wish: ({ leader }) => ({ kind: "kill", args: { host: leader, process: "postgres" } }),
    ...{ interruption: 30, failovers: 0, fenced: true },
  },
  {
    name: "R2: PostgreSQL of the leader is killed and cannot start again, so that another member leads",
    modes: ["synchronous"],
    lasts: 0,
    meanwhile: killedForGoodUntilReplaced,
    ...{ interruption: LEASE_SECONDS, failovers: 1, fenced: true },
  },
  {
    name: "R3: Patroni of the leader is killed and nobody notices",
    modes: ["synchronous"],
    lasts: 1,
    wish: ({ leader }) => ({ kind: "kill", args: { host: leader, process: "patroni" } }),
    ...{ interruption: 15, failovers: 1, fenced: false },
  },
  {
    name: "R4: Patroni of the leader hangs, and clients never meet two primaries",
    modes: ALL,
    lasts: 60,
    wish: ({ leader }) => ({ kind: "suspend", args: { host: leader, process: "patroni" } }),
    ...{ interruption: LEASE_SECONDS, failovers: 1, fenced: false },
  },
  {
    name: "R5: the leader's host hangs, and goes on when another one leads",
    modes: ALL,
    lasts: 60,
    wish: ({ leader }) => ({ kind: "hang", args: { hosts: [leader] } }),
    ...{ interruption: LEASE_SECONDS, failovers: 1, fenced: false },
  },
  {
    name: "R6, R7: the leader's host loses power, with a member of the DCS on it",
    modes: ALL,
    lasts: 60,
    wish: ({ leader }) => ({ kind: "power", args: { hosts: [leader] } }),
    ...{ interruption: LEASE_SECONDS, failovers: 1, fenced: true },
  },
  {
    name: "the leader's host restarts in an orderly way",
    modes: ["synchronous"],
    lasts: 5,
    wish: ({ leader }) => ({ kind: "reboot", args: { hosts: [leader] } }),
    ...{ interruption: LEASE_SECONDS, failovers: 1, fenced: true },
  },
  {
    name: "R8: the lead is handed over as planned",
    modes: ALL,
    lasts: 0,
    meanwhile: async (_roles, inMode) => void (await inMode.pgherd("switchover", "--yes")),
    ...{ interruption: 15, failovers: 1, fenced: true },
  },
  {
    name: "R9: the leader is cut off from everybody",
    modes: ALL,
    lasts: 60,
    wish: ({ leader }) => ({ kind: "isolate", args: { hosts: [leader] } }),
    ...{ interruption: LEASE_SECONDS, failovers: 1, fenced: true },
  },
  {
    name: "R10: the leader loses the DCS alone, and goes on while all members answer it",
    modes: ["synchronous"],
    lasts: 50,
    wish: ({ leader, dcs }) => ({
      kind: "cut",
      args: { from: [leader], to: dcs.hosts, ports: dcs.ports },
    }),
    ...{ interruption: LEASE_SECONDS, failovers: 1, fenced: true },
  },
  {
    name: "R11: the leader hears none of the members, and they hear it",
    modes: ["synchronous"],
    lasts: 60,
    wish: ({ leader, replicas }) => ({
      kind: "cut",
      args: { from: replicas, to: [leader], oneWay: true },
    }),
    ...{ interruption: LEASE_SECONDS, failovers: 1, fenced: true },
  },
  {
    name: "R11: the leader hears the members, and they do not hear it",
    modes: ["synchronous"],
    lasts: 60,
    wish: ({ leader, replicas }) => ({
      kind: "cut",
      args: { from: [leader], to: replicas, oneWay: true },
    }),
    ...{ interruption: LEASE_SECONDS, failovers: 1, fenced: true },
  },
  {
    name: "R12: no replica hears the leader, so that writes wait, and then it loses power",
    modes: ["strict"],
    lasts: 25,
    wish: ({ leader, replicas }) => ({
      kind: "cut",
      args: { from: replicas, to: [leader], ports: [5432] },
    }),
    meanwhile: withoutPowerUntilReplaced,
    ...{ interruption: 150, failovers: 1, fenced: true },
  },
  {
    name: "R13: all replicas lose power but one, and writes go on",
    modes: SAFE,
    lasts: 40,
    wish: ({ replicas }) => ({ kind: "power", args: { hosts: replicas.slice(0, 1) } }),
    ...{ interruption: LEASE_SECONDS, failovers: 0, fenced: true },
  },
  {
    name: "R15: the DCS is gone, and the leader goes on while all members answer it",
    modes: ["synchronous"],
    lasts: 50,
    wish: ({ members }) => ({ kind: "stop", args: { hosts: members, unit: DCS } }),
    ...{ interruption: 30, failovers: 1, fenced: true },
  },
  {
    name: "R16: one member of the DCS is gone",
    modes: ["synchronous"],
    lasts: 30,
    wish: ({ replicas }) => ({ kind: "stop", args: { hosts: replicas.slice(0, 1), unit: DCS } }),
    ...{ interruption: 15, failovers: 0, fenced: true },
  },
  {
    name: "R18: the leader is alone on one side of a partition, and clients still reach it",
    modes: ALL,
    lasts: 60,
    wish: ({ leader, replicas }) => ({ kind: "cut", args: { from: [leader], to: replicas } }),
    ...{ interruption: LEASE_SECONDS, failovers: 1, fenced: true },
  },
  {
    name: "R19: the leader's link comes and goes",
    modes: ["quorum"],
    lasts: 60,
    wish: ({ leader }) => ({ kind: "flap", args: { hosts: [leader], period: 5 } }),
    ...{ interruption: 90, failovers: 2, fenced: true },
  },
  {
    name: "R19: every fifth packet around the leader is lost",
    modes: ["quorum"],
    lasts: 60,
    wish: ({ leader, replicas }) => ({
      kind: "cut",
      args: { from: [leader], to: replicas, loss: 20 },
    }),
    ...{ interruption: 90, failovers: 2, fenced: true },
  },
  {
    name: "R25: the holder of the virtual IP loses power",
    modes: ["synchronous"],
    lasts: 30,
    wish: ({ holder = "" }) => ({ kind: "power", args: { hosts: [holder] } }),
    ...{ interruption: 20, failovers: 0, fenced: true },
  },
  {
    name: "R25: HAProxy is killed where the virtual IP is",
    modes: ["synchronous"],
    lasts: 1,
    wish: ({ holder = "" }) => ({ kind: "kill", args: { host: holder, process: "haproxy" } }),
    ...{ interruption: 20, failovers: 0, fenced: true },
  },
  {
    name: "R25: Keepalived is killed where the virtual IP is",
    modes: ["synchronous"],
    lasts: 1,
    wish: ({ holder = "" }) => ({ kind: "kill", args: { host: holder, process: "keepalived" } }),
    ...{ interruption: 20, failovers: 0, fenced: true },
  },
  {
    name: "R26: the balancers do not hear each other, and both lead to the one primary",
    modes: ["synchronous"],
    lasts: 30,
    wish: ({ balancers }) => ({
      kind: "cut",
      args: { from: balancers, to: balancers, protocol: 112 },
    }),
    ...{ interruption: 20, failovers: 0, fenced: true },
  },
  {
    name: "R29: all hosts of the database lose power at once",
    modes: ALL,
    lasts: 5,
    wish: ({ members }) => ({ kind: "power", args: { hosts: members } }),
    ...{ interruption: 150, failovers: 1, fenced: true },
  },
];

const cluster = new LabCluster(LAB);

describe.runIf(FULL)("faults", () => {
  beforeAll(async () => {
    await cluster.boot({ topology: "standard", distro: "trixie", dataFs: "xfs" });
    await cluster.deploy();
    await cluster.healthy(60);
  }, 1_200_000);

  afterAll(() => down(LAB));

  describe.each(["asynchronous", "synchronous", "strict", "quorum"] as const)("%s", (mode) => {
    // What is healthy depends on the mode.
    const inMode = cluster.varying(({ cluster: wanted }) => {
      wanted.replication = { mode };
    });

    beforeAll(async () => {
      await inMode.deploy();
      await inMode.replicates(mode);
    });

    const cases = CASES.filter(({ modes }) => modes.includes(mode));
    test.each(cases.map((one) => [one.name, one] as const))("%s", async (_name, one) => {
      const meanwhile = async (roles: Roles) => one.meanwhile?.(roles, inMode);
      const { run, verdict } = await experiment(inMode, { ...one, meanwhile });
      expect(brokenPromises(verdict, { durable: mode !== "asynchronous" })).toEqual([]);
      expect(run.notRecovered).toEqual([]);
      expect(verdict.timelines.length - 1, "failovers").toBeLessThanOrEqual(one.failovers);
      expect(longest(verdict), "seconds without a write").toBeLessThan(one.interruption);
      if (one.fenced) expect(verdict.twoPrimaries.direct).toEqual([]);
    });
  });

  describe("what must be able to go wrong", () => {
    test("asynchronous replication loses what a cut-off leader alone had acknowledged, and the checker sees it", async () => {
      const asynchronous = cluster.varying(({ cluster: wanted }) => {
        wanted.replication = { mode: "asynchronous" };
      });
      await asynchronous.deploy();
      await asynchronous.replicates("asynchronous");
      // Its replicas do not hear it, while clients and the DCS do; then it is gone for good.
      const seen = await experiment(asynchronous, {
        name: "replicas cut off, then the leader",
        lasts: 25,
        wish: ({ leader, replicas }) => ({
          kind: "cut",
          args: { from: replicas, to: [leader], ports: [5432] },
        }),
        meanwhile: withoutPowerUntilReplaced,
      });
      expect(seen.verdict.lost.length).toBeGreaterThan(0);
      expect(brokenPromises(seen.verdict, { durable: true }).join()).toContain("are lost");
      await cluster.deploy();
      await cluster.healthy();
    });
  });

  describe("synchronous replication that was left alone", () => {
    test("R14: nobody takes over who lacks what the lost leader has acknowledged", async () => {
      await cluster.deploy();
      await cluster.replicates("synchronous");
      const leader = leaderOf(await cluster.healthy());
      const replicas = ["db1", "db2", "db3"].filter((name) => name !== leader);
      // Their hosts stay: etcd on them has to tell who may lead.
      const all = (verb: string) =>
        Promise.all(replicas.map((name) => inside(LAB, name, `systemctl ${verb} patroni`)));
      await all("stop");
      await cluster.sql(5000, "create table if not exists alone (id int)");
      await until("writes without replicas", 120, () =>
        cluster.sql(5000, "insert into alone values (1) returning id"),
      );
      await powerOff(LAB, [leader]);
      await all("start");
      // Far longer than a lease: whoever were to take over would have done so by then.
      await sleep(75_000);
      expect(leaderOf(await cluster.status())).toBe("");
      await powerOn(LAB, [leader]);
      expect(leaderOf(await cluster.healthy())).toBe(leader);
      expect(await cluster.sql(5000, "select count(*) > 0 from alone")).toBe("t");
    });
  });

  describe("a DCS that has lost everything", () => {
    test.runIf(DCS === "etcd")(
      "R17: is filled again by pulumi up, with the same database and the same configuration",
      async () => {
        const members = ["db1", "db2", "db3"];
        const { systemIdentifier } = await cluster.outputs();
        await cluster.sql(5000, "create table if not exists kept as select 1 as id");
        const all = (command: string) =>
          Promise.all(members.map((name) => inside(LAB, name, command)));
        // Patroni remembers how many elections there have been, and the new one has had fewer.
        const id = `etcdctl endpoint status -w json | sed 's/.*"member_id":\\([0-9]*\\).*/\\1/'`;
        for (let i = 0; i < 9; i++) {
          const next = members[i % 3] as string;
          const member = (await inside(LAB, next, `printf '%x' "$(${id})"`)).trim();
          await Promise.allSettled(
            members.map((name) => inside(LAB, name, `etcdctl move-leader ${member}`)),
          );
        }
        await all("systemctl stop etcd");
        await all("rm -rf /var/lib/etcd/*");
        await cluster.deploy("--refresh");
        await cluster.healthy();
        expect((await cluster.outputs()).systemIdentifier).toBe(systemIdentifier);
        expect(await cluster.sql(5000, "select count(*) from kept")).toBe("1");
        await cluster.unchanged();
      },
    );
  });

  describe("data that is damaged", () => {
    test("R23: a replica without its data is made anew by Patroni, and nobody notices", async () => {
      const seen = await cluster.healthy();
      const replica = seen.members.find(({ role }) => role === "replica")?.name ?? "";
      await during(LAB, { kind: "remove", args: { host: replica } }, async () => {
        await inside(LAB, replica, "systemctl restart patroni");
      });
      await cluster.healthy(300);
    });

    test("R23: a leader without its data hands over", async () => {
      const leader = leaderOf(await cluster.healthy());
      await inflict(LAB, { kind: "remove", args: { host: leader } });
      await inside(LAB, leader, "pkill -KILL -o -f '^/usr/lib/postgresql/[0-9]*/bin/postgres -D '");
      await cluster.otherLeader(leader);
      await cluster.healthy(300);
    });
  });

  describe("data that are no longer what was written", () => {
    test.each(["replica", "leader"] as const)(
      "R23: a %s whose pg_control is damaged is told of, and made anew when asked for",
      async (role) => {
        await cluster.sql(5000, "create table if not exists kept as select 1 as id");
        const leader = leaderOf(await cluster.healthy());
        const damaged = role === "leader" ? leader : leader === "db1" ? "db2" : "db1";
        await inflict(LAB, { kind: "corrupt", args: { host: damaged, what: "control" } });
        await inflict(LAB, { kind: "kill", args: { host: damaged, process: "postgres" } });
        if (role === "leader") await cluster.otherLeader(leader);
        await until("told of the member", 120, async () => {
          const { members } = await cluster.status();
          const seen = members.find(({ name }) => name === damaged);
          return seen?.state === "start failed" ? true : undefined;
        });
        await cluster.pgherd("reinit", damaged, "--yes");
        await cluster.healthy();
        expect(await cluster.sql(5000, "select count(*) from kept")).toBe("1");
      },
    );

    test("R23: a leader's damaged table is found by its checksums, and whole where it is copied anew", async () => {
      const leader = leaderOf(await cluster.healthy());
      await cluster.sql(
        5000,
        "drop table if exists damaged; create table damaged as select repeat(md5(i::text), 20) from generate_series(1, 60000) as i",
      );
      const count = (host: string) =>
        cluster.onHost(
          host,
          "cd / && sudo -u postgres psql -XAtqd app -c 'select count(*) from damaged' 2>&1 || :",
        );
      // What is damaged must be on disk by then, and what is read come from there.
      await cluster.superuserSql(leader, "checkpoint");
      await inflict(LAB, { kind: "corrupt", args: { host: leader, what: "table" } });
      await inflict(LAB, { kind: "kill", args: { host: leader, process: "postgres" } });
      await cluster.healthy();
      expect(leaderOf(await cluster.status())).toBe(leader);
      expect(await count(leader)).toContain("invalid page in block");
      await cluster.pgherd("switchover", "--yes");
      await cluster.healthy();
      expect(await cluster.sql(5000, "select count(*) from damaged")).toBe("60000");
      await cluster.pgherd("reinit", leader, "--yes");
      await cluster.healthy();
      expect(await count(leader)).toBe("60000\n");
    });
  });

  describe("a replica that falls behind", () => {
    test("R27: is not read from until it has caught up", async () => {
      const strict = cluster.varying(({ cluster: wanted }) => {
        wanted.loadBalancers = { ...wanted.loadBalancers!, maximumLag: "1MB" };
      });
      await strict.deploy();
      const { members } = await strict.healthy();
      const leader = members.find(({ role }) => role === "leader")?.name ?? "";
      const stale = members.find(({ role }) => role === "replica")?.name ?? "";
      const address = await strict.onHost(stale, "hostname -I | cut -d' ' -f1");
      /** Where ten new sessions in a row have come to. */
      const readers = () =>
        Promise.all(
          Array.from({ length: 10 }, () => strict.sql(5001, "select host(inet_server_addr())")),
        );
      const isRead = async () => (await readers()).includes(address.trim());
      expect(await isRead()).toBe(true);
      const cut = { from: [stale], to: [leader], ports: [5432] };
      await during(LAB, { kind: "cut", args: cut }, async () => {
        await strict.sql(
          5000,
          "create table filler as select repeat(md5(i::text), 20) from generate_series(1, 20000) as i",
        );
        await until("the stale replica to be left", 90, async () => !(await isRead()) || undefined);
        await sleep(10_000);
        expect(await isRead()).toBe(false);
      });
      await until("the replica to be read again", 120, async () => (await isRead()) || undefined);
      await cluster.deploy();
      await cluster.healthy();
    });
  });

  describe("what is inflicted", () => {
    test("heals by itself when the command that inflicted it is killed", async () => {
      const script = `node ${process.cwd()}/bin/pgherd lab fault isolate db1 --name ${LAB} & echo $!; wait`;
      const { spawn } = await import("node:child_process");
      const child = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "inherit"] });
      const pid = await new Promise<number>((resolve) =>
        child.stdout.once("data", (text: Buffer) => resolve(Number(text.toString()))),
      );
      // Others of this process are on record until it ends.
      const inForce = () => recordedFaults(LAB).some(({ kind }) => kind === "isolate");
      await until("the fault is in force", 30, async () => inForce() || undefined);
      process.kill(pid, "SIGKILL");
      await until("the fault is healed", 30, async () => !inForce() || undefined);
      await cluster.healthy();
    });
  });
});

/** Its program cannot be executed meanwhile. */
async function killedForGoodUntilReplaced({ leader }: Roles): Promise<void> {
  const mode = (how: string) =>
    inside(LAB, leader, `chmod ${how} /usr/lib/postgresql/*/bin/postgres`);
  await mode("a-x");
  try {
    await inflict(LAB, { kind: "kill", args: { host: leader, process: "postgres" } });
    await cluster.otherLeader(leader);
  } finally {
    await mode("a+x");
  }
}

/** What only the leader has is tested by taking it away until another one leads. */
function withoutPowerUntilReplaced({ leader }: Roles): Promise<void> {
  return during(LAB, { kind: "power", args: { hosts: [leader] } }, async () => {
    await cluster.otherLeader(leader);
  });
}
