import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { down } from "../../src/lab/down";
import { labStatus } from "../../src/lab/status";
import { hostsOf } from "../../src/lab/topology";
import { FORKY, FULL } from "./harness";
import { LabCluster, leaderOf, until } from "./lab-cluster";
import { leaderLosesPower } from "./power-loss";

// Clusters of other shapes than the lab's usual one, each from blank hosts: for `npm run test:full`.

describe.runIf(FULL)("on Debian 12, with its older Patroni and short timings", () => {
  const LAB = "t-bookworm";
  const HOSTS = ["db1", "db2", "db3", "lb1", "lb2"];
  let cluster: LabCluster;

  beforeAll(async () => {
    cluster = new LabCluster(LAB).varying(({ cluster: wanted }) => {
      wanted.postgresql = { ...wanted.postgresql, version: 15 };
      wanted.failover = { profile: "aggressive" };
    });
    await cluster.boot({ topology: "standard", distro: "bookworm" });
  });
  afterAll(() => down(LAB));

  test("one pulumi up makes a healthy cluster, and the next one changes nothing", async () => {
    await cluster.deploy();
    await cluster.healthy();
    await cluster.sql(5000, "create table notes as select generate_series(1, 100) as id");
    expect(await cluster.sql(5002, "select count(*) from notes")).toBe("100");
    expect(await cluster.sql(5000, "show server_version_num")).toMatch(/^15/);
    await cluster.unchanged();
  });

  test("the leader's lease is as short as the profile says", async () => {
    expect(await cluster.leaderLease()).toBe(5);
  });

  test("each mode that this Patroni knows is one pulumi up away", async () => {
    for (const mode of ["asynchronous", "strict", "synchronous"] as const) {
      const inMode = cluster.varying(({ cluster: wanted }) => {
        wanted.replication = { mode };
      });
      await inMode.deploy();
      await inMode.replicates(mode);
    }
  });

  test("a quorum is refused before anything is done, with the reason", async () => {
    const quorum = cluster.varying(({ cluster: wanted }) => {
      wanted.replication = { mode: "quorum" };
    });
    expect(await quorum.refused("preview")).toMatch(
      /db1, db2, db3: pgherd:cluster\.replication\.mode: "quorum" needs patroni 4\.0\.0 or newer/,
    );
  });

  test("when the leader loses power another member leads, and the old one comes back as a replica", async () => {
    await leaderLosesPower(cluster);
    expect(await cluster.sql(5000, "select count(*) from notes")).toBe("100");
  });

  test("after a restart of all hosts everything comes back by itself", async () => {
    const before = pids();
    await Promise.all(
      // The connection may end before the answer.
      HOSTS.map((host) =>
        cluster.onHost(host, "sudo systemctl reboot --no-block").catch(() => undefined),
      ),
    );
    await until("all hosts have restarted", 180, async () => {
      const now = pids();
      return now.every((pid, i) => pid !== null && pid !== before[i]) ? true : undefined;
    });
    await cluster.healthy(300);
    const count = await until("an answer through the virtual IP", 60, () =>
      cluster.sql(5000, "select count(*) from notes"),
    );
    expect(count).toBe("100");
    await cluster.unchanged();
  });

  function pids(): (number | null)[] {
    const { hosts } = labStatus(LAB);
    return HOSTS.map((host) => hosts.find(({ name }) => name === host)?.pid ?? null);
  }
});

describe.runIf(FULL && FORKY)("on Debian 14, before its release", () => {
  const LAB = process.env.PGHERD_TEST_LAB ?? "t-forky";
  let cluster: LabCluster;

  beforeAll(async () => {
    cluster = new LabCluster(LAB).varying(({ cluster: wanted }) => {
      wanted.postgresql = { ...wanted.postgresql, version: 18 };
      wanted.system = { distribution: "debian-14" };
      wanted.backup = { host: "backup1" };
    });
    await cluster.boot({ topology: "standard", distro: "forky" });
  });
  afterAll(() => (process.env.PGHERD_TEST_KEEP ? undefined : down(LAB)));

  test("hosts of another release than the stack's are refused before anything is done", async () => {
    const older = cluster.varying(({ cluster: wanted }) => {
      wanted.system = { distribution: "debian-13" };
    });
    expect(await older.refused("preview")).toMatch(
      /expected Debian 13, found "debian forky"\. Use another host, or mend pgherd:cluster\.system\.distribution\./,
    );
  });

  test("one pulumi up makes a healthy cluster, and the next one changes nothing", async () => {
    await cluster.deploy();
    await cluster.healthy();
    await cluster.sql(5000, "create table notes as select generate_series(1, 100) as id");
    expect(await cluster.sql(5000, "show server_version_num")).toMatch(/^18/);
    await cluster.unchanged();
  });

  test("when the leader loses power another member leads, and the old one comes back as a replica", async () => {
    await leaderLosesPower(cluster);
    expect(await cluster.sql(5000, "select count(*) from notes")).toBe("100");
    await cluster.unchanged();
  });
});

describe.runIf(FULL)("with two members, a witness and no load balancers", () => {
  const LAB = "t-small";
  let cluster: LabCluster;

  beforeAll(async () => {
    cluster = new LabCluster(LAB).varying((settings) => {
      settings.hosts = Object.fromEntries(
        hostsOf("small").map(({ name, address }) => [name, { address }]),
      );
      settings.cluster.members = ["db1", "db2"];
      settings.cluster.dcs = { ...settings.cluster.dcs, members: ["db1", "db2", "witness"] };
      settings.cluster.firewall = { clients: ["10.89.0.0/24"] };
      delete settings.cluster.loadBalancers;
    });
    await cluster.boot({ topology: "small", distro: "trixie" });
  });
  afterAll(() => down(LAB));

  test("one pulumi up makes a healthy cluster, and the next one changes nothing", async () => {
    await cluster.deploy();
    const seen = await cluster.healthy();
    expect(seen.members.map(({ role }) => role).sort()).toEqual(["leader", "sync_standby"]);
    expect(seen.dcs.members).toHaveLength(3);
    await cluster.unchanged();
  });

  test("clients find the leader themselves, by the connection that the outputs tell", async () => {
    const { connection, passwords } = await cluster.outputs();
    expect(connection.primary).toBe(
      "postgresql://10.89.0.11:5432,10.89.0.12:5432/?target_session_attrs=read-write",
    );
    const leader = leaderOf(await cluster.healthy());
    const script =
      "read -r PGPASSWORD; export PGPASSWORD PGUSER=app PGDATABASE=app; " +
      `psql -XAtqc "select host(inet_server_addr())" "${connection.primary}"`;
    const answered = await cluster.onHost("db2", script, `${passwords.app}\n`);
    expect(answered.trim()).toBe({ db1: "10.89.0.11", db2: "10.89.0.12" }[leader]);
  });
});

describe.runIf(FULL)("with five members, etcd on hosts of its own, and IPv6", () => {
  const LAB = "t-large";
  const VIPS = ["10.89.0.100", "fd00:89::100"];
  let cluster: LabCluster;

  beforeAll(async () => {
    cluster = new LabCluster(LAB).varying((settings) => {
      settings.hosts = Object.fromEntries(
        hostsOf("large").map(({ name, address6 }) => [name, { address: address6 }]),
      );
      settings.cluster.members = ["db1", "db2", "db3", "db4", "db5"];
      settings.cluster.dcs = { ...settings.cluster.dcs, members: ["etcd1", "etcd2", "etcd3"] };
      settings.cluster.replication = { mode: "synchronous", count: 2 };
      settings.cluster.loadBalancers = {
        hosts: ["lb1", "lb2"],
        vip: ["10.89.0.100/24", "fd00:89::100/64"],
        interface: "host0",
      };
    });
    await cluster.boot({ topology: "large", distro: "trixie" });
  });
  afterAll(() => down(LAB));

  test("one pulumi up makes a healthy cluster, and the next one changes nothing", async () => {
    await cluster.deploy();
    const seen = await cluster.healthy();
    expect(seen.members.map(({ role }) => role).sort()).toEqual([
      ...["leader", "replica", "replica"],
      ...["sync_standby", "sync_standby"],
    ]);
    expect(seen.dcs.members.map(({ host }) => host).sort()).toEqual(["etcd1", "etcd2", "etcd3"]);
    await cluster.unchanged();
  });

  test("both virtual addresses lead to the leader", async () => {
    const { addresses, connection } = await cluster.outputs();
    expect(addresses).toEqual(VIPS);
    expect(connection.primary).toContain("[fd00:89::100]:5000");
    for (const address of VIPS) {
      expect(await cluster.sql(5000, "select not pg_is_in_recovery()", address), address).toBe("t");
    }
  });
});
