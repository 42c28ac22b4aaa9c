import { describe, expect, test } from "vitest";
import { leaderOf } from "../lab-cluster";
import { cluster, standing } from "./standing";

standing();

describe("a running cluster", () => {
  test("shows what somebody has changed on its hosts, and one run repairs exactly that", async () => {
    const leader = leaderOf(await cluster.healthy());
    await Promise.all([
      cluster.onHost("lb2", "echo '# mine' | sudo tee -a /etc/haproxy/haproxy.cfg >/dev/null"),
      cluster.onHost("db2", "sudo systemctl disable -q etcd"),
      cluster.onHost("db3", "sudo chmod 0644 /etc/patroni/pgherd/20-secrets.yml"),
      cluster.onHost("db1", "sudo nft add rule inet pgherd input tcp dport 9999 accept"),
      cluster.superuserSql(leader, "alter role app connection limit 3"),
    ]);
    const said = JSON.parse(await cluster.pulumi("preview", "--json")) as {
      steps: { op: string; urn: string }[];
    };
    const changed = said.steps.filter(({ op }) => op === "update").map(({ urn }) => urn);
    expect(changed.map((urn) => urn.split("::").at(-1)).sort()).toEqual([
      "demo-db1-firewall",
      "demo-db2-etcd",
      "demo-db3-patroni",
      "demo-lb2-haproxy",
      "demo-patroni-cluster",
    ]);
    await cluster.deploy();
    await cluster.unchanged();
  });
});
