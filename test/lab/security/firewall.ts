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
