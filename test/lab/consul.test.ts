import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { down } from "../../src/lab/down";
import { labExec } from "../../src/lab/exec";
import { during } from "../../src/lab/faults/inflict";
import { reset } from "../../src/lab/power";
import { full, FULL, RELEASES } from "./harness";
import { LabCluster, leaderOf, until } from "./lab-cluster";
import { leaderLosesPower } from "./power-loss";
import { unnoticed } from "./unnoticed";

// Consul as the DCS: three servers, one of them on no member's host, and an agent on the member that has no server.

/** The lab's name, for whoever runs several at once. */
const LAB = process.env.PGHERD_TEST_LAB ?? "t-consul";

const SERVERS = ["db1", "db2", "backup1"];

/** The member with an agent only. */
const CLIENT = "db3";

/** Longer than any lease: whoever lost it would have been seen to. */
const AGENT_AWAY_SECONDS = 45;

const API = "http://127.0.0.1:8500/v1";
const AS_MANAGEMENT = "-H @/var/lib/pgherd/consul/management";

describe.each(FULL ? RELEASES : RELEASES.slice(0, 1))("Consul on Debian %s", (distro) => {
  let cluster: LabCluster;

  beforeAll(async () => {
    cluster = new LabCluster(LAB).varying(({ cluster: wanted }) => {
      const registration = { registerService: true, dnsFor: "clients" } as const;
      wanted.dcs = { kind: "consul", members: SERVERS, ...registration };
      if (distro !== "bookworm") return;
      wanted.postgresql = { ...wanted.postgresql, version: 15 };
      // A session of two and a half seconds, which servers take by a setting only.
      wanted.failover = { profile: "aggressive" };
    });
    await cluster.boot({ topology: "standard", distro });
  });
  afterAll(() => down(LAB));

  /** Who a client is told of by Consul's DNS, by the agent that has no server: `db1`. */
  async function told(what: string): Promise<string[]> {
    const script = `const { Resolver } = require("node:dns").promises;
      const resolver = new Resolver();
      resolver.setServers(["10.89.0.13:8600"]);
      resolver.resolve4("${what}.demo.service.consul").then((found) => console.log(found.join(" ")));`;
    const found = await labExec(LAB, [process.execPath, "-e", script]);
    return found
      .trim()
      .split(" ")
      .map((address) => address.replace("10.89.0.1", "db"))
      .sort();
  }

  test("one pulumi up makes a healthy cluster, and the next one changes nothing", async () => {
    await cluster.deploy();
    const { dcs } = await cluster.healthy();
    expect(dcs.kind).toBe("consul");
    expect(dcs.members.map(({ host }) => host).sort()).toEqual([...SERVERS].sort());
    expect(dcs.members.filter(({ leader }) => leader)).toHaveLength(1);
    await cluster.sql(5000, "create table notes as select generate_series(1, 100) as id");
    await cluster.unchanged();
  });

  test("nobody without a token reads anything, and nobody reaches an agent of another host", async () => {
    const read = `curl -s -o /dev/null -w '%{http_code}' ${API}/kv/service/demo/config`;
    // What may not be seen is not told from what is not there.
    expect(await cluster.onHost(CLIENT, read)).toMatch(/403|404/);
    expect(
      await cluster.onHost(CLIENT, "cat /etc/pgherd/consul/20-secrets.json || echo none"),
    ).toBe("none\n");
    const server = "curl -sS -m 3 http://10.89.0.11:8500/v1/status/leader || echo none";
    expect(await cluster.onHost(CLIENT, server)).toBe("none\n");
    const rpc = "timeout 3 bash -c '</dev/tcp/10.89.0.11/8300' || echo none";
    expect(await cluster.onHost(CLIENT, rpc)).toBe("none\n");
    const command = await cluster.onHost("db1", "ps -C consul -o args=");
    expect(command.trim()).toBe("/usr/bin/consul agent -config-dir=/etc/pgherd/consul");
  });

  test("Patroni's token lets it into its own keys and sessions, and nowhere else", async () => {
    const token = "-H @/var/lib/pgherd/consul/pgherd-demo-patroni.header";
    const code = (what: string) =>
      cluster.onHost("db1", `sudo curl -s -o /dev/null -w '%{http_code}' ${token} ${what}`);
    expect(await code(`${API}/kv/service/demo/leader`)).toBe("200");
    expect(await code(`-X PUT -d x ${API}/kv/service/other/config`)).toBe("403");
    expect(await code(`-X PUT -d x ${API}/kv/others`)).toBe("403");
    expect(await code(`${API}/acl/tokens`)).toBe("403");
    expect(await code(`${API}/operator/raft/configuration`)).toBe("403");
  });

  test("rights that somebody has changed are drift, and one pulumi up gives them back", async () => {
    const acl = (what: string) => cluster.onHost("db1", `sudo curl -sf ${AS_MANAGEMENT} ${what}`);
    const policies = JSON.parse(await acl(`${API}/acl/policies`)) as { ID: string; Name: string }[];
    const policy = policies.find(({ Name }) => Name === "pgherd-demo-patroni")?.ID ?? "";
    const rules = async () =>
      (JSON.parse(await acl(`${API}/acl/policy/${policy}`)) as { Rules: string }).Rules;
    const wanted = await rules();
    const wider = JSON.stringify({
      Name: "pgherd-demo-patroni",
      Rules: 'key_prefix "" { policy = "write" }',
    });
    await acl(`-X PUT -d '${wider}' ${API}/acl/policy/${policy}`);
    // The token with which pgherd itself asks.
    const own = await cluster.onHost(
      "db1",
      `sudo curl -sf -H @/var/lib/pgherd/consul/token ${API}/acl/token/self`,
    );
    const { AccessorID: named } = JSON.parse(own) as { AccessorID: string };
    await acl(`-X DELETE ${API}/acl/token/${named}`);
    expect(await cluster.pulumi("preview", "--refresh", "--diff")).toMatch(/consul-cluster/);
    await cluster.deploy();
    expect(await rules()).toBe(wanted);
    await cluster.healthy();
    await cluster.unchanged();
  });

  test("Consul's DNS tells clients who is primary and who is replica", async () => {
    const members = ["db1", "db2", "db3"];
    const leader = leaderOf(await cluster.healthy());
    await until("all members in Consul's DNS", 60, async () =>
      (await told("replica")).length === 2 ? true : undefined,
    );
    expect(await told("primary")).toEqual([leader]);
    expect(await told("replica")).toEqual(members.filter((name) => name !== leader));
    // Whoever has no token may know that, and nothing else.
    const nodes = await cluster.onHost(CLIENT, `curl -s ${API}/catalog/nodes`);
    expect(nodes).toContain('"Node":"db1"');
    expect(nodes).not.toContain('"Node":"backup1"');
    expect(await cluster.onHost(CLIENT, `curl -s ${API}/kv/?keys`)).not.toContain("demo");
  });

  full(
    "new tokens and a new key of the gossip are brought about by one run, while clients write",
    async () => {
      const leader = leaderOf(await cluster.healthy());
      await cluster.sql(5000, "create table if not exists probe (id int)");
      const state = await cluster.pulumi("stack", "export");
      const urns = (
        JSON.parse(state) as { deployment: { resources: { urn: string }[] } }
      ).deployment.resources
        .map(({ urn }) => urn)
        .filter((urn) => /::demo-passwords-consul-[a-z]+$/.test(urn));
      expect(urns).toHaveLength(6);
      const tokens = ["management", "token", "pgherd-demo-patroni.header"].map(
        (name) => `/var/lib/pgherd/consul/${name}`,
      );
      const keep = tokens.map((file) => `sudo cp ${file} ${file}.old`).join("; ");
      await cluster.onHost("db1", keep);
      const since = (await cluster.onHost("db1", "date +%s")).trim();
      const { failed, longestMs } = await cluster.writesDuring(() =>
        cluster.deploy(...urns.flatMap((urn) => ["--replace", urn])),
      );
      expect(failed).toBe(0);
      expect(longestMs).toBeLessThan(5000);
      expect(leaderOf(await cluster.healthy())).toBe(leader);
      for (const host of ["db1", "db2", "db3"]) {
        const said = await cluster.onHost(
          host,
          `sudo journalctl -u patroni --since @${since} -o cat`,
        );
        expect(said).not.toMatch(/ACL not found|Permission denied|demoting/);
      }
      for (const file of tokens) {
        const code = (header: string) =>
          cluster.onHost(
            "db1",
            `sudo curl -s -o /dev/null -w '%{http_code}' -H @${header} ${API}/acl/token/self`,
          );
        expect([await code(file), await code(`${file}.old`)]).toEqual(["200", "403"]);
      }
      // All agents have one key, and it is that of the file.
      const keys = `sudo curl -s ${AS_MANAGEMENT} ${API}/operator/keyring`;
      const key = `sudo sed -n 's/.*"encrypt": "\\([^"]*\\)".*/\\1/p' /etc/pgherd/consul/20-secrets.json`;
      const [ring] = JSON.parse(await cluster.onHost("db1", keys)) as { Keys: object }[];
      expect(ring?.Keys).toEqual({ [(await cluster.onHost("db1", key)).trim()]: 4 });
      await cluster.onHost("db1", `sudo rm ${tokens.map((file) => `${file}.old`).join(" ")}`);
      await cluster.unchanged();
    },
  );

  test("the status names an agent that is away, or cut off, on a member without a server", async () => {
    const agent = async () => (await cluster.status()).dcs.agents;
    expect(await agent()).toEqual([{ host: CLIENT, condition: "serving" }]);
    await during(LAB, { kind: "stop", args: { unit: "consul", hosts: [CLIENT] } }, async () => {
      const { problems } = await cluster.status();
      expect(problems.join()).toContain(`${CLIENT}: consul's agent does not answer`);
    });
    await cluster.healthy();
  });

  // Without it this agent is a single point of failure of the leader's.
  test("a leader whose agent is away goes on leading", async () => {
    const leader = leaderOf(await cluster.healthy());
    await during(LAB, { kind: "stop", args: { unit: "consul", hosts: [leader] } }, async () => {
      for (let seconds = 0; seconds < AGENT_AWAY_SECONDS; seconds += 5) {
        await sleep(5000);
        await cluster.sql(5000, "insert into notes values (0)");
      }
    });
    expect(leaderOf(await cluster.healthy())).toBe(leader);
  });

  full(
    "when the leader loses power another member leads, and the old one comes back as a replica",
    async () => {
      const rows = await cluster.sql(5000, "select count(*) from notes");
      await leaderLosesPower(cluster);
      expect(await cluster.sql(5000, "select count(*) from notes")).toBe(rows);
      const leader = leaderOf(await cluster.healthy());
      await until("the new leader in Consul's DNS", 60, async () =>
        (await told("primary")).join() === leader ? true : undefined,
      );
      await cluster.unchanged();
    },
  );

  full("a server that was reinstalled comes in again by one run", async () => {
    const rows = await cluster.sql(5000, "select count(*) from notes");
    await reset(LAB, ["db2"]);
    await cluster.deploy();
    const { dcs } = await cluster.healthy();
    expect(dcs.members.map(({ healthy }) => healthy)).toEqual([true, true, true]);
    expect(await cluster.sql(5000, "select count(*) from notes")).toBe(rows);
    await cluster.unchanged();
  });

  full("servers with other settings than the stack's restart one at a time", async () => {
    const change = 'sudo sed -i \'s/"3s"/"30s"/\' /etc/pgherd/consul/10-agent.json';
    await Promise.all(SERVERS.map((host) => cluster.onHost(host, change)));
    const { longestMs } = await cluster.writesDuring(() => cluster.deploy());
    expect(longestMs).toBeLessThan(20_000);
    const starts = await Promise.all(
      SERVERS.map(async (host) =>
        Number(
          await cluster.onHost(
            host,
            "systemctl show -p ActiveEnterTimestampMonotonic --value consul",
          ),
        ),
      ),
    );
    expect(new Set(starts).size).toBe(SERVERS.length);
    await cluster.unchanged();
  });

  full("all servers away at once and back: the leader leads again", async () => {
    await during(LAB, { kind: "stop", args: { unit: "consul", hosts: [...SERVERS] } }, async () => {
      await until("no majority", 60, async () => {
        const { dcs } = await cluster.status();
        return dcs.members.every(({ healthy }) => !healthy) ? true : undefined;
      });
    });
    await cluster.healthy();
  });

  test("one pulumi up moves it to etcd, while clients write", async () => {
    await cluster.sql(5000, "create table if not exists probe (id int)");
    const moving = cluster.varying(({ cluster: wanted }) => {
      wanted.dcs = { kind: "etcd", members: SERVERS, movedFrom: wanted.dcs };
    });
    await unnoticed(cluster, moving, () => moving.deploy());
    expect((await moving.healthy()).dcs.kind).toBe("etcd");
    await moving.unchanged();
    expect(await moving.shown("preview")).toContain("the cluster has moved");
  });
});
