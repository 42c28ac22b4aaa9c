import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { down } from "../../src/lab/down";
import { hostsOf } from "../../src/lab/topology";
import { packageRoot } from "../../src/package-root";
import { FULL, full } from "./harness";
import { LabCluster, leaderOf, type StackSettings } from "./lab-cluster";
import { strangerEtcd } from "./stranger-etcd";
import { leaderLosesPower } from "./power-loss";

// An etcd that somebody else runs on a host that pgherd is not told of: TLS on both ends, users, and another cluster in it.

/** The lab's name, for whoever runs several at once. */
const LAB = process.env.PGHERD_TEST_LAB ?? "t-existing";

/** With what a shell, a JSON document and etcdctl would read. */
const PASSWORD = `geheim: x" y$z`;

/** Longer than any lease: whoever lost it would have been seen to. */
const AWAY_SECONDS = 45;

/** The cluster is told of two hosts, and not of the one that somebody else runs the DCS on. */
function onDatabaseHosts(settings: StackSettings): void {
  settings.hosts = Object.fromEntries(
    hostsOf("small")
      .filter(({ name }) => name !== "witness")
      .map(({ name, address }) => [name, { address }]),
  );
  settings.cluster.members = ["db1", "db2"];
  delete settings.cluster.loadBalancers;
}

describe("an etcd that is there already", () => {
  let cluster: LabCluster;

  beforeAll(async () => {
    const blank = new LabCluster(LAB);
    await blank.boot({ topology: "small" });
    const { ca, certificate, key } = await strangerEtcd(blank, "witness", "10.89.0.29", PASSWORD);
    cluster = blank.varying((settings) => {
      onDatabaseHosts(settings);
      settings.cluster.dcs = {
        kind: "etcd",
        endpoints: ["https://10.89.0.29:2379"],
        username: "demo-members",
        ca,
        certificate,
      };
      settings.cluster.firewall = { clients: ["10.89.0.0/24"] };
      settings.dcsPassword = PASSWORD;
      settings.dcsKey = key;
    });
  });
  afterAll(() => down(LAB));

  /** What is in it, by its own root. */
  const keys = () =>
    cluster.onHost(
      "witness",
      `sudo sh -c 'cd /etc/shared-etcd && read -r ETCDCTL_USER && export ETCDCTL_USER &&
ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --cacert=ca.crt --cert=client.crt --key=client.key get --prefix /' | grep .`,
      `root:${PASSWORD}\n`,
    );

  test("one pulumi up makes a healthy cluster below its own prefix, and the next one changes nothing", async () => {
    await cluster.deploy();
    const { dcs } = await cluster.healthy();
    expect(dcs).toMatchObject({ kind: "etcd", existing: true });
    expect(dcs.members.map(({ host }) => host)).toEqual(["db1", "db2"]);
    await cluster.unchanged();
    const found = await keys();
    expect(found).toContain("/service/demo/leader\n");
    expect(found).toContain("/service/other/leader\ndb9\n");
  });

  test("what lets it in is in no state, no argument and no file that others read", async () => {
    const state = await cluster.pulumi("stack", "export");
    expect(state).not.toMatch(/geheim|PRIVATE KEY/);
    const look = "sudo grep -rlE 'geheim|PRIVATE KEY' /etc /var/lib/pgherd 2>/dev/null | sort";
    const holding = (await cluster.onHost("db1", look)).trim().split("\n");
    const rights = await cluster.onHost("db1", `sudo stat -c '%n %a %U %G' ${holding.join(" ")}`);
    const own = rights.split("\n").filter((line) => line.includes("pgherd"));
    expect(own).toEqual([
      "/etc/patroni/pgherd/20-secrets.yml 640 root postgres",
      "/etc/pgherd/dcs/client.env 600 root root",
      "/etc/pgherd/dcs/client.key 640 root postgres",
      "/etc/pgherd/dcs/login.json 600 root root",
    ]);
    expect(await cluster.onHost("db1", "ps -eo args=")).not.toContain("geheim");
  });

  test("credentials that do not let in are told by a preview, before anything is changed", async () => {
    const wrong = cluster.varying((settings) => (settings.dcsPassword = "another"));
    expect(await wrong.refused("preview")).toContain(
      "db1, db2: expected an answer of etcd's for a majority, got https://10.89.0.29:2379: " +
        '{"code":3, "message":"etcdserver: authentication failed, invalid user ID or password"}',
    );
    expect(await cluster.onHost("db1", "ls -d /run/pgherd-dcs-* || echo none")).toBe("none\n");
    const elsewhere = cluster.varying(({ cluster: wanted }) => {
      wanted.dcs = { ...(wanted.dcs as { kind: "etcd"; endpoints: string[] }), prefix: "/others" };
    });
    expect(await elsewhere.refused("preview")).toContain(
      "expected etcd to let in to all below /others/demo, got ",
    );
  });

  test("files that are gone or changed are drift, and one pulumi up puts them back", async () => {
    await cluster.onHost("db2", "sudo rm /etc/pgherd/dcs/login.json");
    await cluster.onHost("db1", "sudo chmod 0644 /etc/pgherd/dcs/client.key");
    expect(await cluster.pulumi("preview", "--diff")).toContain("demo-existing-dcs");
    await cluster.deploy();
    await cluster.unchanged();
    await cluster.healthy();
  });

  full("it goes on leading while the DCS is away, and hands over afterwards", async () => {
    const leader = leaderOf(await cluster.healthy());
    await cluster.onHost("witness", "sudo systemctl stop etcd");
    try {
      await sleep(AWAY_SECONDS * 1000);
      const takes = "sudo -u postgres psql -XAtqc 'select not pg_is_in_recovery()'";
      expect(await cluster.onHost(leader, takes)).toBe("t\n");
      const status = await cluster.pgherd("status").catch((error: Error) => error.message);
      expect(status).toContain("The DCS (etcd) has no majority");
    } finally {
      await cluster.onHost("witness", "sudo systemctl start etcd");
    }
    await cluster.healthy();
    expect(leaderOf(await cluster.healthy())).toBe(leader);
  });

  full("another member leads when the leader's host loses power", async () => {
    await leaderLosesPower(cluster);
    await cluster.unchanged();
  });
});

describe.runIf(FULL)("a Consul that is there already", () => {
  let cluster: LabCluster;
  let token: string;

  beforeAll(async () => {
    const blank = new LabCluster(LAB);
    await blank.boot({ topology: "small" });
    const script = readFileSync(join(packageRoot(), "test/lab/stranger-consul.sh"), "utf8");
    const begin = async (host: string, address: string, ...more: string[]) => {
      await blank.onHost(host, "cat >consul.sh", script);
      const words = [host, address, "10.89.0.29", ...more].join(" ");
      return blank.onHost(host, `sudo sh consul.sh ${words}`);
    };
    const said = await begin("witness", "10.89.0.29");
    const secret = (name: string) => new RegExp(`^${name} (\\S+)$`, "m").exec(said)?.[1] ?? "";
    token = secret("demo");
    await begin("db1", "10.89.0.11", secret("agents"));
    await begin("db2", "10.89.0.12", secret("agents"));
    cluster = blank.varying((settings) => {
      onDatabaseHosts(settings);
      settings.cluster.dcs = { kind: "consul", endpoints: ["http://127.0.0.1:8500"] };
      settings.cluster.firewall = {
        clients: ["10.89.0.0/24"],
        // The agents' gossip.
        allow: [
          { port: 8301, from: ["10.89.0.0/24"] },
          { port: 8301, protocol: "udp", from: ["10.89.0.0/24"] },
        ],
      };
      settings.dcsToken = token;
    });
  });
  afterAll(() => down(LAB));

  test("one pulumi up makes a healthy cluster by each host's own agent, and the next one changes nothing", async () => {
    await cluster.deploy();
    const { dcs } = await cluster.healthy();
    expect(dcs).toMatchObject({ kind: "consul", existing: true });
    await cluster.unchanged();
    expect(await cluster.pulumi("stack", "export")).not.toContain(token);
    expect(await cluster.onHost("db1", "ps -eo args=")).not.toContain(token);
  });

  test("a lease that agents of hosts tell nothing of is refused", async () => {
    const short = cluster.varying(({ cluster: wanted }) => {
      wanted.failover = { ttl: 10, loopWait: 2, retryTimeout: 3 };
    });
    expect(await short.refused("preview")).toContain(
      "consul does not tell whether it gives leases",
    );
  });

  test("a leader whose agent is away goes on leading", async () => {
    const leader = leaderOf(await cluster.healthy());
    await cluster.onHost(leader, "sudo systemctl stop consul");
    try {
      await sleep(AWAY_SECONDS * 1000);
      const takes = "sudo -u postgres psql -XAtqc 'select not pg_is_in_recovery()'";
      expect(await cluster.onHost(leader, takes)).toBe("t\n");
    } finally {
      await cluster.onHost(leader, "sudo systemctl start consul");
    }
    expect(leaderOf(await cluster.healthy())).toBe(leader);
  });

  test("another member leads when the leader's host loses power", async () => {
    await leaderLosesPower(cluster);
    await cluster.unchanged();
  });
});
