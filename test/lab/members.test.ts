import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { down } from "../../src/lab/down";
import { powerOff, powerOn } from "../../src/lab/power";
import { DCS, full } from "./harness";
import { killedAfterEachChange } from "./interruption";
import { LabCluster, leaderOf, type StackSettings, type Writes } from "./lab-cluster";

// Members and voters of the DCS come to a cluster and leave it while clients write: some of it in npm test, the rest and each run
// killed after each change in full.

/** The lab's name, for whoever runs several at once. */
const LAB = process.env.PGHERD_TEST_LAB ?? "t-members";

/** The host of backups, of which this stack has none: a member that votes nowhere. */
const FOURTH = "backup1";

const blank = new LabCluster(LAB);

/** The lab's stack with these members. */
function of(...members: string[]): LabCluster {
  return changed(members);
}

function changed(
  members: string[],
  change: (wanted: StackSettings) => void = () => {},
): LabCluster {
  return blank.varying((settings) => {
    settings.cluster.members = members;
    change(settings);
  });
}

const votersAre =
  (...voters: string[]) =>
  ({ cluster }: StackSettings) => {
    (cluster.dcs as { members: string[] }).members = voters;
  };

/** Who belongs to etcd, in order, as one of them tells: `db1 started, lb1 started`. */
async function votersOn(cluster: LabCluster, host: string): Promise<string> {
  const list = await cluster.onHost(host, "sudo ETCDCTL_API=3 etcdctl member list");
  const members = list
    .trim()
    .split("\n")
    .map((line) => line.split(", "))
    .map(([, state = "", name = "", , , learner = ""]) =>
      [name, state, ...(learner === "false" ? [] : ["learner"])].join(" "),
    );
  return members.sort().join(", ");
}

/** What a host shows that has voted in etcd. */
function leftEtcd(cluster: LabCluster, host: string): Promise<string> {
  return cluster.onHost(
    host,
    "systemctl is-active etcd; systemctl is-enabled etcd; sudo ls /var/lib/etcd",
  );
}

/** Goes there under a writer: what a client was told is written is there. */
async function under(cluster: LabCluster, work: () => Promise<unknown>): Promise<Writes> {
  const leader = leaderOf(await cluster.status());
  await cluster.superuserSql(leader === "" ? "db1" : leader, "truncate probe", "app");
  const writes = await cluster.writesDuring(work);
  console.info("members changed under a writer:", writes);
  const now = leaderOf(await cluster.healthy());
  const rows = await cluster.superuserSql(
    now,
    "select count(*) || ' ' || count(distinct id) from probe",
    "app",
  );
  const [all = 0, distinct = 0] = rows.split(" ").map(Number);
  expect(distinct).toBe(all);
  expect(all).toBeGreaterThanOrEqual(writes.written);
  return writes;
}

/** Waits until a member's lease has ended: before it counts as running. */
async function forgotten(cluster: LabCluster, member: string): Promise<void> {
  await expect
    .poll(() => cluster.onHost("db1", "sudo curl -s http://10.89.0.11:8008/cluster"), {
      timeout: 120_000,
      interval: 2000,
    })
    .not.toContain(member);
}

/** Names of the slots for members on every one of these. */
async function slotsOn(cluster: LabCluster, members: readonly string[]): Promise<string[]> {
  const sql = "select coalesce(string_agg(slot_name, ' '), '') from pg_replication_slots";
  const found = await Promise.all(members.map((name) => cluster.superuserSql(name, sql)));
  return [...new Set(found.flatMap((line) => line.split(" ")))].filter((name) => name !== "");
}

/** What a host shows that has been a member. */
function leftOn(cluster: LabCluster, host: string): Promise<string> {
  return cluster.onHost(
    host,
    "systemctl is-active patroni; systemctl is-enabled patroni; sudo test -f /var/lib/postgresql/17/main/PG_VERSION && echo kept",
  );
}

describe("members of a running cluster", () => {
  beforeAll(async () => {
    const one = DCS === "etcd" ? changed(["db1"], votersAre("db1")) : of("db1");
    await one.boot({ topology: "standard" });
    await one.deploy();
    await one.healthy();
    await one.sql(5000, "create table probe (id int)");
    await one.unchanged();
  });
  afterAll(() => down(LAB));

  test("one member becomes three, as does its DCS, and no write fails", async () => {
    const three = of("db1", "db2", "db3");
    expect(await three.shown("preview")).toMatch(
      /db2, db3 join: first the other members let them in/,
    );
    if (DCS === "etcd") {
      expect(await three.shown("preview")).toContain("db2, db3 come to vote in etcd");
    }
    const writes = await under(three, () => three.deploy());
    expect(writes.failed).toBe(0);
    await three.replicates("synchronous");
    if (DCS === "etcd") {
      expect(await votersOn(three, "db1")).toBe("db1 started, db2 started, db3 started");
    }
    await three.unchanged();
  });

  test.runIf(DCS === "etcd")("who votes moves to other hosts, and no write fails", async () => {
    const elsewhere = changed(["db1", "db2", "db3"], votersAre("lb1", "lb2", "db2"));
    expect(await elsewhere.shown("preview")).toContain("db1 votes in etcd no more");
    const writes = await under(elsewhere, () => elsewhere.deploy());
    expect(writes.failed).toBe(0);
    expect(writes.longestMs).toBeLessThan(3000);
    expect(await votersOn(elsewhere, "lb1")).toBe("db2 started, lb1 started, lb2 started");
    for (const host of ["db1", "db3"]) {
      expect(await leftEtcd(elsewhere, host)).toBe("inactive\ndisabled\ndemo\n");
    }
    // Who votes no more is let in to ask, as any member is, and to nothing else.
    const rules = await elsewhere.onHost("lb1", "sudo nft list table inet pgherd");
    const peers = /ip saddr \{ (.*) \} tcp dport 2380 accept/.exec(rules)?.[1];
    expect(peers).toBe("10.89.0.12, 10.89.0.32");
    await elsewhere.unchanged();
    // They come back, though what they had is of members that have been taken out.
    const three = of("db1", "db2", "db3");
    const back = await under(three, () => three.deploy());
    expect(back.failed).toBe(0);
    expect(await votersOn(three, "db1")).toBe("db1 started, db2 started, db3 started");
    expect(await leftEtcd(three, "lb1")).toBe("inactive\ndisabled\ndemo\n");
  });

  full("a fourth member joins and serves readers", async () => {
    const four = of("db1", "db2", "db3", FOURTH);
    const writes = await under(four, () => four.deploy());
    expect(writes.failed).toBe(0);
    const { loadBalancers } = await four.healthy();
    for (const { entrances } of loadBalancers) expect(entrances.replica).toContain(FOURTH);
    await four.unchanged();
  });

  test("what cannot be in one run is refused with the order in which it can", async () => {
    const swapped = of("db1", "db2", FOURTH, "lb1");
    expect(await swapped.refused("preview")).toContain("First leave db3 in the list");
    const given = changed(["db1", "db2", "db3"], ({ cluster }) => (cluster.removed = ["db3"]));
    expect(await given.refused("preview")).toContain("which stands in members[2]");
  });

  full(
    "a member that is out of reach leaves only when it is said to be gone for good",
    async () => {
      await powerOff(LAB, [FOURTH]);
      const three = of("db1", "db2", "db3");
      expect(await three.refused("up", "--yes", "--skip-preview")).toContain(
        `pgherd:cluster.removed: [${FOURTH}]`,
      );
      const without = changed(["db1", "db2", "db3"], (wanted) => {
        wanted.cluster.removed = [FOURTH];
        delete wanted.hosts[FOURTH];
      });
      await forgotten(without, FOURTH);
      const writes = await under(without, () => without.deploy());
      expect(writes.failed).toBe(0);
      const members = (await without.healthy()).members.map(({ name }) => name);
      expect(members).toEqual(["db1", "db2", "db3"]);
      expect(await slotsOn(without, members)).not.toContain(FOURTH);
      const rules = await without.onHost("db1", "sudo nft list table inet pgherd");
      expect(rules).not.toContain("10.89.0.41");
      await without.unchanged();
      await three.deploy();
      await three.unchanged();
      await powerOn(LAB, [FOURTH]);
    },
  );

  full("who confirms commits leaves, and no write fails", async () => {
    const three = of("db1", "db2", "db3");
    const { members } = await three.healthy();
    const leaver = members.find(({ role }) => role === "sync_standby")?.name ?? "";
    const rest = ["db1", "db2", "db3"].filter((name) => name !== leaver);
    const two = of(...rest);
    expect(await two.shown("preview")).toContain(
      `${leaver} leaves: another one confirms commits in its place first`,
    );
    const writes = await under(two, () => two.deploy());
    expect(writes.failed).toBe(0);
    expect(writes.longestMs).toBeLessThan(3000);
    expect(await leftOn(two, leaver)).toBe("inactive\ndisabled\nkept\n");
    expect(await slotsOn(two, rest)).not.toContain(leaver);
    expect(await two.dynamicConfiguration()).not.toHaveProperty("member_slots_ttl");
    await two.unchanged();
    // It comes back with the data that it has.
    const back = await under(three, () => three.deploy());
    expect(back.failed).toBe(0);
    await three.unchanged();
  });

  test("the leader leaves by a switchover", async () => {
    const three = of("db1", "db2", "db3");
    const leader = leaderOf(await three.healthy());
    const rest = ["db1", "db2", "db3"].filter((name) => name !== leader);
    const two = of(...rest);
    expect(await two.shown("preview")).toMatch(
      new RegExp(`${leader} leaves: it leads: first a switchover`),
    );
    const writes = await under(two, () => two.deploy());
    // As long as a switchover takes: 3.2 s where twenty processes wait for two cores, as `pgherd switchover` does there.
    expect(writes.longestMs).toBeLessThan(5000);
    expect(await leftOn(two, leader)).toBe("inactive\ndisabled\nkept\n");
    await two.unchanged();
  });

  const fullOnEtcd = DCS === "etcd" ? full : test.skip;

  fullOnEtcd(
    "a member that votes and is gone for good is replaced, and does no harm when it is back",
    async () => {
      const three = of("db1", "db2", "db3");
      const withFourth = changed(["db1", "db2", "db3", FOURTH], votersAre("db1", "db2", FOURTH));
      await withFourth.deploy();
      expect(await votersOn(withFourth, "db1")).toBe(`${FOURTH} started, db1 started, db2 started`);
      await powerOff(LAB, [FOURTH]);
      expect(await three.refused("up", "--yes", "--skip-preview")).toContain(
        `pgherd:cluster.removed: [${FOURTH}]`,
      );
      const without = changed(["db1", "db2", "db3"], (wanted) => {
        wanted.cluster.removed = [FOURTH];
        delete wanted.hosts[FOURTH];
      });
      await forgotten(without, FOURTH);
      const writes = await under(without, () => without.deploy());
      expect(writes.failed).toBe(0);
      expect(await votersOn(without, "db1")).toBe("db1 started, db2 started, db3 started");
      await without.unchanged();
      // Its disk still says that it votes.
      await powerOn(LAB, [FOURTH]);
      await expect
        .poll(() => without.onHost(FOURTH, "systemctl is-active etcd || :"), {
          timeout: 60_000,
        })
        .not.toMatch(/^active/);
      expect(await votersOn(without, "db1")).toBe("db1 started, db2 started, db3 started");
      await three.deploy();
      await three.unchanged();
    },
  );

  fullOnEtcd("a run that is killed after each change goes on, whoever comes to vote", async () => {
    const elsewhere = changed(["db1", "db2", "db3"], votersAre("lb1", "lb2", FOURTH));
    const writes = await under(elsewhere, () => killedAfterEachChange(elsewhere, "provider"));
    expect(writes.failed).toBe(0);
    expect(await votersOn(elsewhere, "lb1")).toBe(`${FOURTH} started, lb1 started, lb2 started`);
    await elsewhere.unchanged();
    const one = changed(["db1", "db2", "db3"], votersAre("lb1"));
    const fewer = await under(one, () => killedAfterEachChange(one, "provider"));
    expect(fewer.failed).toBe(0);
    expect(await votersOn(one, "lb1")).toBe("lb1 started");
    await one.unchanged();
    const three = of("db1", "db2", "db3");
    await three.deploy();
    await three.unchanged();
  });

  full("a run that is killed after each change goes on, whoever comes or leaves", async () => {
    const three = of("db1", "db2", "db3");
    const come = await under(three, () => killedAfterEachChange(three, "provider"));
    expect(come.failed).toBe(0);
    await three.unchanged();
    const leader = leaderOf(await three.healthy());
    const one = of(...["db1", "db2", "db3"].filter((name) => name !== leader).slice(0, 1));
    await under(one, () => killedAfterEachChange(one, "provider"));
    await one.unchanged();
  });
});
