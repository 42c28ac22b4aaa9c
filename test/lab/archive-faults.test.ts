import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { brokenPromises } from "../../src/lab/chaos/checker";
import type { Roles } from "../../src/lab/chaos/schedule";
import { down } from "../../src/lab/down";
import { during } from "../../src/lab/faults/inflict";
import { isOn } from "../../src/lab/faults/inside";
import { labPaths } from "../../src/lab/paths";
import { powerOff, powerOn } from "../../src/lab/power";
import { experiment } from "./experiment";
import { FULL } from "./harness";
import { LabCluster, leaderOf, until, type Mode } from "./lab-cluster";

// What a cluster keeps when its archive is behind it and hosts lose power: R36 and R37 of the table of failures. Nothing
// that the archive has may take the place of what a member has more of, in whatever order the hosts come back, and who comes
// by the archive finds the way to the leader.

/** The lab's name, for whoever runs several at once. */
const LAB = process.env.PGHERD_TEST_LAB ?? "t-archive";

/** Leaves the lab standing and uses one that stands: for work on these tests. */
const KEEP = Boolean(process.env.PGHERD_TEST_KEEP);

/** Hosts of the database and of the DCS. */
const MEMBERS = ["db1", "db2", "db3"];

const RECEIVER = { host: "backup1", process: "pg_receivewal" };

/** Seconds of writes that the members have and the archive has not. */
const AHEAD_SECONDS = 5;

/** Seconds in which somebody takes the lead, if anybody may. */
const LEAD_SECONDS = 75;

interface Who {
  readonly leader: string;
  /** A replica that confirms commits, where any does. */
  readonly standby: string;
  readonly third: string;
}

interface PowerCut {
  readonly name: string;
  readonly off: (who: Who) => readonly string[];
  /** Hosts that get their power back, in turn. */
  readonly on: (who: Who) => readonly (readonly string[])[];
}

const CUTS: readonly PowerCut[] = [
  {
    name: "the leader",
    off: ({ leader }) => [leader],
    on: ({ leader }) => [[leader]],
  },
  {
    name: "the standby",
    off: ({ standby }) => [standby],
    on: ({ standby }) => [[standby]],
  },
  {
    name: "leader and standby, of which the standby comes back first",
    off: ({ leader, standby }) => [leader, standby],
    on: ({ leader, standby }) => [[standby], [leader]],
  },
  {
    name: "leader and standby, of which the leader comes back first",
    off: ({ leader, standby }) => [leader, standby],
    on: ({ leader, standby }) => [[leader], [standby]],
  },
  {
    name: "all members, of which the leader comes back last",
    off: ({ leader, standby, third }) => [leader, standby, third],
    on: ({ leader, standby, third }) => [[standby, third], [leader]],
  },
  {
    name: "all members, which come back at once",
    off: ({ leader, standby, third }) => [leader, standby, third],
    on: ({ leader, standby, third }) => [[leader, standby, third]],
  },
];

const cluster = new LabCluster(LAB).varying((settings) => {
  settings.cluster.backup = { host: "backup1" };
});

describe.runIf(FULL)("an archive that is behind", () => {
  beforeAll(async () => {
    if (!KEEP || !existsSync(labPaths(LAB).state)) {
      await cluster.boot({ topology: "standard", distro: "trixie", dataFs: "xfs" });
    }
    await cluster.deploy();
    await cluster.healthy();
  }, 1_200_000);

  afterAll(async () => {
    if (!KEEP) await down(LAB);
  });

  describe.each(["asynchronous", "synchronous", "strict", "quorum"] as const)("%s", (mode) => {
    const inMode = cluster.varying((settings) => {
      settings.cluster.replication = { mode };
    });

    beforeAll(async () => {
      await inMode.deploy();
      await inMode.replicates(mode);
    });

    test.each(CUTS.map((cut) => [cut.name, cut] as const))(
      "R36: a power cut of %s takes nothing that was acknowledged",
      async (name, cut) => {
        const { run, verdict } = await experiment(inMode, {
          ...{ name: `${mode}: archive behind, power cut of ${name}`, lasts: AHEAD_SECONDS },
          wish: () => ({ kind: "suspend", args: RECEIVER }),
          meanwhile: async (roles) => powerCut(inMode, cut, await whoIs(inMode, roles)),
        });
        expect(brokenPromises(verdict, { durable: durable(mode) })).toEqual([]);
        expect(run.notRecovered).toEqual([]);
      },
    );
  });

  test("R37: a member that has more than the next leader is rewound to it, and streams", async () => {
    const inMode = cluster.varying((settings) => {
      settings.cluster.replication = { mode: "asynchronous" };
    });
    await inMode.deploy();
    await inMode.replicates("asynchronous");
    const { run, verdict } = await experiment(inMode, {
      ...{ name: "a replica ahead of the next leader", lasts: 0 },
      // Its PostgreSQL goes on, and nobody renews its lease.
      wish: ({ leader }) => ({ kind: "suspend", args: { host: leader, process: "patroni" } }),
      meanwhile: (roles) =>
        during(LAB, { kind: "suspend", args: RECEIVER }, () => leadsBehind(inMode, roles)),
    });
    expect(brokenPromises(verdict, { durable: false })).toEqual([]);
    expect(run.notRecovered).toEqual([]);
  });

  test("a member that Patroni makes from the backup streams also after two leaders without power in turn", async () => {
    const inMode = cluster.varying((settings) => {
      settings.cluster.replication = { mode: "synchronous" };
    });
    await inMode.deploy();
    await inMode.replicates("synchronous");
    for (let cuts = 0; cuts < 2; cuts++) {
      const old = leaderOf(await inMode.healthy());
      await powerOff(LAB, [old]);
      await inMode.otherLeader(old);
      await powerOn(LAB, [old]);
    }
    const seen = await inMode.healthy();
    const replica = seen.members.find(({ role }) => role === "replica")?.name ?? "";
    await inMode.onHost(
      replica,
      `sudo patronictl -c /etc/patroni/pgherd reinit demo ${replica} --force`,
    );
    await until("the copy has begun", 60, async () =>
      (await inMode.status()).healthy ? undefined : true,
    );
    await inMode.healthy();
  });
});

function durable(mode: Mode): boolean {
  return mode !== "asynchronous";
}

async function whoIs(inMode: LabCluster, { leader, replicas }: Roles): Promise<Who> {
  const { members } = await inMode.status();
  const confirms = members.find(({ role }) => /^(sync|quorum)_standby$/.test(role))?.name;
  const standby = confirms ?? replicas[0] ?? "";
  return { leader, standby, third: replicas.find((name) => name !== standby) ?? "" };
}

/** Hosts lose power with what they have acknowledged, and get it back one after the other. */
async function powerCut(inMode: LabCluster, { off, on }: PowerCut, who: Who): Promise<void> {
  // Whoever comes back begins at a place that the archive's last segment has.
  await inMode.superuserSql(who.leader, "checkpoint");
  await sleep(AHEAD_SECONDS * 1000);
  await powerOff(LAB, off(who));
  try {
    for (const hosts of on(who)) {
      await someoneLeads(inMode);
      await powerOn(LAB, hosts);
    }
  } finally {
    await powerOn(LAB, off(who));
  }
}

/** Gives those who are up the time to take the lead, where the DCS has a majority; nobody may be allowed to. */
async function someoneLeads(inMode: LabCluster): Promise<void> {
  if (MEMBERS.filter((name) => isOn(LAB, name)).length < 2) return;
  await until("somebody leads", LEAD_SECONDS, async () =>
    leaderOf(await inMode.status()) === "" ? undefined : true,
  ).catch(() => undefined);
}

/** Has a replica take the lead that lacks what the other one has got from the old leader. */
async function leadsBehind(
  inMode: LabCluster,
  { leader, replicas: [, behind = ""] }: Roles,
): Promise<void> {
  const cut = { from: [behind], to: [leader], ports: [5432] };
  await during(LAB, { kind: "cut", args: cut }, async () => {
    await inMode.superuserSql(leader, "create table if not exists one_more (id int)");
    const order = `sudo patronictl -c /etc/patroni/pgherd failover demo --candidate ${behind} --force || :`;
    await until(`${behind} leads`, 2 * LEAD_SECONDS, async () => {
      if (leaderOf(await inMode.status()) === behind) return true;
      await inMode.onHost(behind, order);
      await sleep(5000);
      return undefined;
    });
  });
}
