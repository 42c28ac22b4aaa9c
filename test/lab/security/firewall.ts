import { expect, test } from "vitest";
import { join } from "node:path";
import { labExec } from "../../../src/lab/exec";
import { ROOT } from "../harness";
import { until, type LabCluster } from "../lab-cluster";

/** A neighbour on the network, once somebody has touched a host's other rules. */
export function firewall(cluster: LabCluster): void {
  const PORTS = [2379, 2380, 5432, 8008];

  /** Which of these ports a member lets a machine in to that has no part in the cluster. */
  async function openToStrangers(): Promise<number[]> {
    const script = join(ROOT, "test/lab/scan-ports.cjs");
    const argv = [process.execPath, script, "10.89.0.11", "--ports", PORTS.join(",")];
    return JSON.parse(await labExec(cluster.lab, argv)) as number[];
  }

  const asRoot = (command: string) => cluster.onHost("db1", `sudo ${command}`);

  test.each(["restart", "reload", "stop", "start"])(
    "the firewall is there again once nftables was told to %s",
    async (verb) => {
      expect(await openToStrangers()).toEqual([]);
      // What is not active cannot be reloaded.
      if (verb === "reload") await asRoot("systemctl start nftables");
      await asRoot(`systemctl ${verb} nftables`);
      expect(await openToStrangers()).toEqual([]);
      await asRoot("systemctl stop nftables");
      const { problems } = await cluster.healthy();
      expect(problems).toEqual([]);
    },
  );

  test("no user of a host but the daemons' own reaches etcd or Patroni, on that host or on another", async () => {
    const attempts = (user: string) => `for at in 127.0.0.1 10.89.0.11 10.89.0.12; do
      for port in 2379 2380 8008; do
        ! sudo runuser -u ${user} -- timeout 5 bash -c "</dev/tcp/$at/$port" 2>/dev/null || echo "$at $port"
      done
    done`;
    const reached = async (host: string, user: string) =>
      (await cluster.onHost(host, attempts(user))).split("\n").filter((line) => line !== "");
    for (const host of ["db1", "lb1"]) {
      expect(await reached(host, "nobody")).toEqual([]);
      expect(await reached(host, '"$(id -un)"')).toEqual([]);
    }
    const put = "etcdctl --endpoints=http://127.0.0.1:2379 put /service/demo/asked 1 2>&1";
    expect(await cluster.onHost("db1", `sudo runuser -u nobody -- ${put} || :`)).toMatch(/refused/);
    // Who has business there gets in, and nowhere else.
    expect(await reached("lb1", "haproxy")).toEqual(["10.89.0.11 8008", "10.89.0.12 8008"]);
    expect(await reached("db1", "postgres")).toEqual([
      ...["127.0.0.1 2379", "10.89.0.11 2379", "10.89.0.11 8008", "10.89.0.12 2379"],
      "10.89.0.12 8008",
    ]);
    expect((await cluster.healthy()).problems).toEqual([]);
  });

  test("the status tells that somebody has flushed the firewall, and how to load it", async () => {
    await asRoot("nft flush ruleset");
    try {
      expect(await openToStrangers()).toEqual(PORTS);
      const { health, problems } = await until("the status tells", 30, async () => {
        const seen = await cluster.status();
        return seen.problems.length > 0 ? seen : undefined;
      });
      expect(health).toBe("degraded");
      expect(problems).toEqual([
        expect.stringMatching(/^db1: the firewall's rules are not loaded: .* systemctl restart /),
      ]);
    } finally {
      await asRoot("systemctl restart pgherd-firewall.service");
    }
    expect(await openToStrangers()).toEqual([]);
    await cluster.healthy();
  });
}
