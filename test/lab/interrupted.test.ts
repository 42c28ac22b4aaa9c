import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { down } from "../../src/lab/down";
import { powerOff, powerOn } from "../../src/lab/power";
import type { Interruption } from "../../src/provider/interrupt";
import { FULL, full } from "./harness";
import { LabCluster, until, type StackSettings } from "./lab-cluster";
import { interruptedRun, killedAfterEachChange } from "./interruption";

// Runs that are interrupted on real hosts. The next `pulumi up` has to finish what they began, by itself.

const LAB = "t-interrupt";
const DATABASES = ["db1", "db2", "db3"];
const HOSTS = [...DATABASES, "lb1", "lb2"];
const TOPOLOGY = { topology: "standard", distro: "trixie" } as const;

const cluster = new LabCluster(LAB);

afterAll(() => down(LAB));

const pullThePlug = (host: string) => powerOff(LAB, [host]);

/** One database was made, once, and no second one ever led. */
async function expectOneDatabase(): Promise<void> {
  const { members } = await cluster.healthy();
  expect(members.map(({ timeline }) => timeline)).toEqual([1, 1, 1]);
  const perMember = await Promise.all(
    DATABASES.map((host) =>
      cluster.onHost(
        host,
        `sudo sh -c 'curl -s http://$(hostname -I | cut -d" " -f1):8008/patroni; echo
          journalctl -u patroni -o cat | grep -c "The files belonging to this database system"
          journalctl -u patroni -o cat | grep -c "promoted self to leader"; :'`,
      ),
    ),
  );
  const seen = perMember.map((text) => {
    const [status = "", made, promoted] = text.trim().split("\n");
    const { database_system_identifier: identifier } = JSON.parse(status) as Record<string, string>;
    return { identifier, made: Number(made), promoted: Number(promoted) };
  });
  expect(new Set(seen.map(({ identifier }) => identifier)).size).toBe(1);
  expect(seen.reduce((sum, { made }) => sum + made, 0)).toBe(1);
  expect(seen.reduce((sum, { promoted }) => sum + promoted, 0)).toBe(0);
}

/** Nothing that an interrupted change had for its own use is left on any host. */
async function expectNothingLeftOver(): Promise<void> {
  for (const host of HOSTS) {
    const found = await cluster.onHost(
      host,
      `sudo sh -c 'find /etc /usr/sbin /var/lib/pgherd /run/pgherd -xdev "(" -name "*.pgherd-new" -o -name installing -o -name "firewall-trial*" -o -name "firewall-before*" ")"
        systemctl list-units --all --plain --no-legend "pgherd-firewall-rollback*"; dpkg --audit'`,
    );
    expect(found, host).toBe("");
  }
}

/** The next run finishes the job, and the one after it has nothing to do. */
async function expectFinished(on = cluster): Promise<void> {
  await on.deploy();
  await on.unchanged();
  await on.healthy();
}

describe.runIf(FULL)("a first deployment", () => {
  test.each(["provider", "engine"] as const)(
    "is finished although the %s is killed once after each of its changes",
    async (how) => {
      await cluster.boot(TOPOLOGY);
      const killed = await killedAfterEachChange(cluster, how);
      // Packages once and the firewall twice on five hosts; two daemons on each member and balancer; configuration and catalog.
      expect(killed.length).toBeGreaterThanOrEqual(3 * 5 + 2 * 5 + 2);
      await expectFinished();
      await expectOneDatabase();
      await expectNothingLeftOver();
    },
  );

  /** One of each sort, in the order in which a deployment comes by them. */
  const CHOSEN = {
    packages: "^db1 installing packages$",
    firewall: "^db2 trying the firewall's rules$",
    etcd: "^db3 setting up etcd$",
    patroni: "^db. setting up patroni$",
    catalog: "^db. changing roles and databases$",
  };

  test.each([
    ["Ctrl-C stops it", "ctrl-c"],
    ["connections break", "cut"],
    ["the provider is killed", "provider"],
  ] as const)("is finished although %s in the middle of its changes", async (_title, how) => {
    await cluster.boot(TOPOLOGY);
    for (const step of Object.values(CHOSEN))
      await expectInterrupted({ how, when: "during", step });
    await expectFinished();
    await expectOneDatabase();
    await expectNothingLeftOver();
  });

  test("is finished although hosts lose power in the middle of its changes", async () => {
    await cluster.boot(TOPOLOGY);
    const powerCut = async (when: Interruption["when"], step: string, seconds: number) => {
      await expectInterrupted({ how: "hold", when, step }, async (host) => {
        await sleep(seconds * 1000);
        await pullThePlug(host);
      });
      await powerOn(LAB, HOSTS);
    };
    await powerCut("during", CHOSEN.packages, 6);
    await powerCut("during", CHOSEN.firewall, 1);
    await powerCut("after", CHOSEN.etcd, 0);
    // By then the first member makes the database.
    await powerCut("after", CHOSEN.patroni, 2);
    await powerCut("after", CHOSEN.catalog, 0);
    await expectFinished();
    await expectNothingLeftOver();
  });

  async function expectInterrupted(
    interruption: Interruption,
    meanwhile?: (host: string) => Promise<void>,
  ): Promise<void> {
    const { code, begun, output } = await interruptedRun(cluster, interruption, { meanwhile });
    expect(begun.join("\n"), output).toMatch(new RegExp(interruption.step, "m"));
    expect(code, output).not.toBe(0);
  }
});

describe.runIf(FULL)("a change of a running cluster", () => {
  beforeAll(async () => {
    await cluster.boot(TOPOLOGY);
    await cluster.deploy();
  });

  const withPort = (primary: number) => (wanted: StackSettings) => {
    wanted.cluster.loadBalancers = { ...wanted.cluster.loadBalancers!, ports: { primary } };
  };
  const withWorkMem = (value: string) => (wanted: StackSettings) => {
    wanted.cluster.postgresql = { ...wanted.cluster.postgresql, parameters: { work_mem: value } };
  };

  test.each<[string, Interruption, (wanted: StackSettings) => void]>([
    [
      "a killed provider",
      { how: "provider", when: "after", step: "^lb1 setting up haproxy$" },
      withPort(5010),
    ],
    [
      "a killed engine",
      { how: "engine", when: "after", step: "changing the dynamic configuration$" },
      withWorkMem("7MB"),
    ],
    [
      "a broken connection",
      { how: "cut", when: "during", step: "^lb2 trying the firewall's rules$" },
      withPort(5020),
    ],
    ["Ctrl-C", { how: "ctrl-c", when: "during", step: "^lb1 setting up haproxy$" }, withPort(5030)],
    [
      "a power cut of the host",
      { how: "hold", when: "after", step: "^lb2 trying the firewall's rules$" },
      withPort(5040),
    ],
  ])("is finished after %s", async (_title, interruption, change) => {
    const changed = cluster.varying(change);
    const { code, output } = await interruptedRun(changed, interruption, {
      meanwhile: interruption.how === "hold" ? pullThePlug : undefined,
    });
    expect(code, output).not.toBe(0);
    await powerOn(LAB, HOSTS);
    await expectFinished(changed);
    await expectOneDatabase();
    await expectNothingLeftOver();
  });

  test.each([
    ["provider", 120],
    ["engine", 130],
  ] as const)(
    "a rolling restart is finished although the %s is killed once after each of its changes",
    async (how, connections) => {
      const changed = cluster.varying(({ cluster: wanted }) => {
        wanted.postgresql = {
          ...wanted.postgresql,
          parameters: { max_connections: connections },
        };
      });
      const killed = await killedAfterEachChange(changed, how);
      // The leader starts anew as a replica, when another one has taken over.
      expect(killed.filter((step) => step.endsWith(" restarting PostgreSQL"))).toHaveLength(2);
      // Patroni goes on with a switchover that it has been told of: where clients are led to the new leader before it answers,
      // that is where the run was killed, and there is nothing left to switch.
      const during = killed.filter((step) => / (switching over|leading clients)$/.test(step));
      expect(during.length, killed.join("; ")).toBeGreaterThan(0);
      expect(during.filter((step) => step.endsWith("over")).length).toBeLessThan(2);
      await expectFinished(changed);
      await expectNothingLeftOver();
      for (const member of DATABASES) {
        expect(await cluster.superuserSql(member, "show max_connections")).toBe(`${connections}`);
      }
    },
  );

  full("a connection that breaks without a word frees the host after half a minute", async () => {
    const changed = cluster.varying(withPort(5050));
    const { output } = await interruptedRun(
      changed,
      { how: "hold", when: "after", step: "^lb1 setting up haproxy$" },
      { meanwhile: silence },
    );
    expect(output).toMatch(/lb1: .*(was cut off|cannot be reached)/);
    const lock = await until("the end of the silence", 60, () =>
      cluster.onHost("lb1", "sudo cat /run/pgherd/lock-in-silence"),
    );
    expect(lock).toBe("held\nfree\n");
    await expectFinished(changed);
  });

  /** For 45 seconds nothing of SSH comes or goes; the lock is tried at the beginning and at the end. */
  async function silence(host: string): Promise<void> {
    const look = "flock -n /run/pgherd/lock echo free || echo held";
    await cluster.onHost(
      host,
      `sudo systemd-run --quiet --collect sh -c '
         sleep 1
         nft "add table inet silence { chain in { type filter hook input priority -300; tcp dport 22 drop; }; chain out { type filter hook output priority -300; tcp sport 22 drop; }; }"
         { ${look}; sleep 45; ${look}; } >/run/pgherd/lock-in-silence.new
         nft delete table inet silence
         mv /run/pgherd/lock-in-silence.new /run/pgherd/lock-in-silence'`,
    );
    await sleep(3000);
  }
});
