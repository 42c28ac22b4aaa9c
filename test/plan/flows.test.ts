import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readStack } from "../../src/cli/stack";
import { parseSettings } from "../../src/config/parse";
import type { FirewallSettings, Settings } from "../../src/config/schema";
import { migratedRules, planFirewalls } from "../../src/plan/firewall";
import { clientNetworks, planFlows } from "../../src/plan/flows";
import { planHosts } from "../../src/plan/hosts";
import type { Source } from "../../src/migration/inputs/source";

const GOLDEN = join(import.meta.dirname, "golden-firewall");

const lab = readStack("lab");

/** The lab with other rules. */
function withFirewall(firewall: false | Partial<FirewallSettings>): Settings {
  const usual = lab.cluster.firewall as FirewallSettings;
  return {
    ...lab,
    cluster: { ...lab.cluster, firewall: firewall === false ? false : { ...usual, ...firewall } },
  };
}

/** The flows to a host, a line for each: `2380 DCS hosts: 10.89.0.12 10.89.0.13`. */
function flowsTo(host: string, settings: Settings): string[] {
  return planFlows(settings)
    .filter(({ to }) => to === host)
    .map(
      ({ protocol, port, from, addresses }) =>
        `${port ?? protocol} ${from}: ${addresses.join(" ")}`,
    );
}

function rulesOf(host: string, settings: Settings): string {
  return planFirewalls(settings).find((plan) => plan.host === host)?.rules ?? "";
}

test("a member with etcd lets in the other members, the DCS hosts and the load balancers", () => {
  expect(flowsTo("db1", lab)).toEqual([
    "22 logins: 0.0.0.0/0 ::/0",
    "2379 members: 10.89.0.12 10.89.0.13",
    "2379 DCS hosts: 10.89.0.12 10.89.0.13",
    "2380 DCS hosts: 10.89.0.12 10.89.0.13",
    "5432 members: 10.89.0.12 10.89.0.13",
    "5432 load balancers: 10.89.0.31 10.89.0.32 10.89.0.100",
    "8008 members: 10.89.0.12 10.89.0.13",
    "8008 load balancers: 10.89.0.31 10.89.0.32 10.89.0.100",
    "mark clients: 10.89.0.0/24",
  ]);
});

test("a load balancer lets in the clients and the other load balancer", () => {
  expect(flowsTo("lb2", lab)).toEqual([
    "22 logins: 0.0.0.0/0 ::/0",
    "5000 clients: 10.89.0.0/24",
    "5001 clients: 10.89.0.0/24",
    "5002 clients: 10.89.0.0/24",
    "5003 clients: 10.89.0.0/24",
    "vrrp load balancers: 10.89.0.31",
  ]);
});

test("every host of the cluster has rules, and no other", () => {
  expect(planFirewalls(lab).map(({ host }) => host)).toEqual(["db1", "db2", "db3", "lb1", "lb2"]);
  expect(JSON.stringify(planFlows(lab))).not.toContain("10.89.0.41");
});

test("a flow tells what it is for", () => {
  expect(planFlows(lab)[0]).toEqual({
    from: "logins",
    addresses: ["0.0.0.0/0", "::/0"],
    to: "db1",
    protocol: "tcp",
    port: 22,
    purpose: "SSH",
  });
});

test("without load balancers clients reach the members", () => {
  const { loadBalancers, ...cluster } = withFirewall({ clients: ["192.0.2.0/24"] }).cluster;
  expect(loadBalancers).toBeDefined();
  const flows = flowsTo("db1", { ...lab, cluster });
  expect(flows).toContain("5432 clients: 192.0.2.0/24");
  expect(flows.join("\n")).not.toContain("load balancers");
});

test("a DCS host without data lets in etcd's traffic and no other", () => {
  const witness = {
    ...lab,
    cluster: { ...lab.cluster, dcs: { ...lab.cluster.dcs, members: ["db1", "db2", "backup1"] } },
  };
  expect(flowsTo("backup1", witness)).toEqual([
    "22 logins: 0.0.0.0/0 ::/0",
    "2379 members: 10.89.0.11 10.89.0.12 10.89.0.13",
    "2379 DCS hosts: 10.89.0.11 10.89.0.12",
    "2380 DCS hosts: 10.89.0.11 10.89.0.12",
  ]);
  expect(flowsTo("db3", witness).join("\n")).not.toContain("2379");
});

test("logins are let in on the port of the host's own sshd, from the user's networks", () => {
  const settings = withFirewall({ ssh: ["192.0.2.7"] });
  const ports = { ...settings, ssh: { ...lab.ssh, port: 2222 } };
  const own = {
    ...ports,
    hosts: { ...lab.hosts, db2: { ...lab.hosts.db2!, port: 22022 } },
  };
  expect(flowsTo("db1", own)[0]).toBe("2222 logins: 192.0.2.7");
  expect(flowsTo("db2", own)[0]).toBe("22022 logins: 192.0.2.7");
});

test("admins see the statistics page and Patroni's REST API", () => {
  const settings = withFirewall({ admins: ["192.0.2.0/28"] });
  expect(flowsTo("lb1", settings)).toContain("7000 admins: 192.0.2.0/28");
  expect(flowsTo("db1", settings)).toContain("8008 admins: 192.0.2.0/28");
  expect(flowsTo("lb1", lab).join("\n")).not.toContain("7000");
});

test("what else is let in goes to the hosts that are named, or to all", () => {
  const settings = withFirewall({
    allow: [
      { hosts: ["db2"], from: ["192.0.2.9"], port: 9187, protocol: "tcp" },
      { from: ["192.0.2.9", "2001:db8::/32"], port: 161, protocol: "udp" },
    ],
  });
  expect(flowsTo("db2", settings)).toContain("9187 others: 192.0.2.9");
  expect(flowsTo("db1", settings).join("\n")).not.toContain("9187");
  expect(flowsTo("lb1", settings)).toContain("161 others: 192.0.2.9 2001:db8::/32");
  expect(rulesOf("lb1", settings)).toContain(
    'ip6 saddr { 2001:db8::/32 } udp dport 161 accept comment "firewall.allow from others"',
  );
});

test("clients are the networks that the user names, or those of the virtual IP", () => {
  expect(clientNetworks(lab)).toEqual(["10.89.0.0/24"]);
  expect(clientNetworks(withFirewall({ clients: ["192.0.2.0/24"] }))).toEqual(["192.0.2.0/24"]);
  expect(clientNetworks(withFirewall(false))).toEqual(["10.89.0.0/24"]);
});

test("without a firewall there are no flows, no rules and no package for them", () => {
  const settings = withFirewall(false);
  expect(planFlows(settings)).toEqual([]);
  expect(planFirewalls(settings)).toEqual([]);
  expect(planHosts(settings).flatMap(({ packages }) => packages)).not.toContain("nftables");
  expect(planHosts(lab).map(({ packages }) => packages.includes("nftables"))).not.toContain(false);
});

describe("the host of a server that is migrated", () => {
  const migrated = () => {
    const plans = planFirewalls(adopting(lab.cluster));
    return plans.find(({ host }) => host === "db1")?.beginning ?? "";
  };
  const adopting = (cluster: Settings["cluster"]) =>
    parseSettings({
      hosts: lab.hosts,
      cluster: { ...cluster, name: "shop", migration: { from: "db1", until: "prepared" } },
    });

  test("keeps the ports of the cluster's daemons for the cluster, and lets in all else", () => {
    const rules = migrated();
    expect(rules).toContain("policy accept;");
    expect(rules).toContain('tcp dport { 2379, 2380, 8008 } drop comment "');
    expect(rules).toContain('ip saddr { 10.89.0.12, 10.89.0.13 } tcp dport 2379 accept comment "');
    expect(rules).not.toMatch(/dport (22|5432)\b/);
    // It would have the kernel keep an account of all connections of a busy server.
    expect(rules).not.toContain("ct state");
  });

  test("keeps a port to itself that nobody else needs", () => {
    const { cluster, ...settings } = adopting(lab.cluster);
    const alone = {
      ...settings,
      cluster: { ...cluster, dcs: { ...cluster.dcs, members: ["db1"] } },
    };
    const rules = planFirewalls(alone).find(({ host }) => host === "db1")?.beginning;
    expect(rules).not.toContain("tcp dport 2380 accept");
    expect(rules).toContain("tcp dport { 2379, 2380, 8008 } drop");
  });

  test("has the cluster's own rules later, besides the ports of its other servers", () => {
    const plan = planFirewalls(adopting(lab.cluster)).find(({ host }) => host === "db1");
    const other = "tcp dport 5433 accept";
    const source = { otherPorts: [5433] } as unknown as Source;
    const rules = migratedRules(adopting(lab.cluster), source).db1?.split("\n");
    expect(rules?.filter((line) => line.includes(other))).toHaveLength(1);
    expect(rules?.filter((line) => !line.includes(other)).join("\n")).toBe(plan?.rules);
  });

  test("is the only one with such rules", () => {
    const such = planFirewalls(adopting(lab.cluster)).filter(({ beginning }) => beginning);
    expect(such.map(({ host }) => host)).toEqual(["db1"]);
    expect(planFirewalls(lab).filter(({ beginning }) => beginning)).toEqual([]);
  });
});

test("IPv4 and IPv6 have rules of their own", () => {
  const six = parseSettings({
    hosts: {
      db1: { address: "fd00:89::11" },
      lb1: { address: "fd00:89::31" },
      lb2: { address: "fd00:89::32" },
    },
    cluster: {
      name: "six",
      members: ["db1"],
      dcs: { kind: "etcd", members: ["db1"] },
      loadBalancers: {
        hosts: ["lb1", "lb2"],
        vip: ["10.89.0.100/24", "fd00:89::100/64"],
        interface: "eth0",
      },
    },
  });
  const balancer = rulesOf("lb1", six);
  expect(balancer).toContain(
    'ip saddr { 10.89.0.0/24 } tcp dport 5000 accept comment "primary from clients"\n' +
      '        ip6 saddr { fd00:89::/64 } tcp dport 5000 accept comment "primary from clients"\n',
  );
  expect(balancer).toContain("ip6 saddr { fd00:89::32 } ip6 nexthdr 112 accept");
  expect(balancer).not.toContain("ip protocol 112");
  expect(rulesOf("db1", six)).toContain(
    "ip6 saddr { fd00:89::31, fd00:89::32, fd00:89::100 } tcp dport 5432 accept",
  );
  // A host is not its own peer: of a single one nothing is let in.
  expect(flowsTo("db1", six).join("\n")).not.toContain("2380");
});

test("a network of everything is a rule without addresses", () => {
  expect(rulesOf("db1", lab)).toContain('meta nfproto ipv4 tcp dport 22 accept comment "SSH');
  expect(rulesOf("db1", lab)).toContain('meta nfproto ipv6 tcp dport 22 accept comment "SSH');
  expect(rulesOf("db1", withFirewall({ ssh: ["10.0.0.0/8"] }))).not.toContain("nfproto");
});

test.each(["db1", "lb1"])("the lab's rules of %s are as in their golden file", async (host) => {
  await expect(rulesOf(host, lab)).toMatchFileSnapshot(join(GOLDEN, `${host}.nft.txt`));
});

test("every golden file of rules belongs to a host", () => {
  expect(readdirSync(GOLDEN).sort()).toEqual(["db1.nft.txt", "lb1.nft.txt"]);
});
