import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { rawStack, readStack } from "../../src/cli/stack";
import { parseSettings } from "../../src/config/parse";
import { planConfiguration } from "../../src/plan/dynamic-configuration";
import { planCluster } from "../../src/plan/plan";
import { withSecrets } from "../../src/plan/secrets";
import type { ClusterPlan, Files, SecretFiles } from "../../src/plan/types";
import type { HostsFacts } from "../../src/resources/inputs/preflight";

const GOLDEN = join(import.meta.dirname, "golden");

const SECRETS: { readonly [name: string]: string } = {
  replication: "REPLICATION-PASSWORD",
  rewind: "REWIND-PASSWORD",
  "rest-api": "REST-API-PASSWORD",
  vrrp: "VRRPPASS",
  stats: "STATS-PASSWORD",
};

const revealed = (files: SecretFiles) => withSecrets(files, ({ name }) => SECRETS[name] ?? "");

const lab = planCluster(readStack("lab"));

/** What hosts of the lab's size would tell. */
const FACTS: HostsFacts = {
  smallest: { memory: 8 * 2 ** 30, cores: 4, disk: 200 * 2 ** 30 },
  versions: { patroni: "4.0.7" },
};

/** The files of a plan by their text, so that what is the same on several hosts is one. */
function distinct(plan: ClusterPlan, files: (service: ClusterPlan["services"][number]) => Files) {
  const found = new Map<string, { content: string; owner: string; hosts: string[] }>();
  for (const service of plan.services) {
    for (const [path, { content, mode, owner, group }] of Object.entries(files(service))) {
      const key = `${path}\n${content}`;
      const one = found.get(key) ?? { content, owner: `${mode} ${owner}:${group}`, hosts: [] };
      one.hosts.push(service.host);
      found.set(key, one);
    }
  }
  return [...found].map(([key, value]) => ({ path: key.split("\n")[0] as string, ...value }));
}

const files = distinct(lab, (service) => ({
  ...service.files,
  ...revealed(service.secretFiles),
}));

/** `db1.etc.default.etcd.txt`: a suffix that no formatter takes for a language. */
function goldenName({ path, hosts }: { path: string; hosts: string[] }): string {
  return `${[...new Set(hosts)].join("+")}${path.replaceAll("/", ".")}.txt`;
}

test.each(files.map((file) => [goldenName(file), file] as const))(
  "the lab's %s is as in its golden file",
  async (name, { content }) => {
    await expect(content).toMatchFileSnapshot(join(GOLDEN, name));
  },
);

test("the lab's dynamic configuration is as in its golden file", async () => {
  const text = `${JSON.stringify(planConfiguration(readStack("lab"), FACTS), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot(join(GOLDEN, "dynamic-configuration.json.txt"));
});

test("nothing on a host depends on the order in which the settings name the hosts", () => {
  const raw = rawStack("lab");
  const hosts = Object.fromEntries(Object.entries(raw.hosts as object).reverse());
  const turned = planCluster(parseSettings({ ...raw, hosts }));
  const rules = ({ firewalls }: ClusterPlan) =>
    Object.fromEntries(firewalls.map((one) => [one.host, one.rules]));
  const texts = ({ services }: ClusterPlan) =>
    services.map((service) => JSON.stringify([service.host, service.files])).sort();
  expect(rules(turned)).toEqual(rules(lab));
  expect(texts(turned)).toEqual(texts(lab));
});

test("every golden file belongs to the plan", () => {
  const expected = [...files.map(goldenName), "dynamic-configuration.json.txt"];
  expect(readdirSync(GOLDEN).sort()).toEqual(expected.sort());
});

test("files have these modes and owners", () => {
  const owners = Object.fromEntries(files.map(({ path, owner }) => [path, owner]));
  expect(owners).toEqual({
    "/etc/default/etcd": "0644 root:root",
    "/etc/haproxy/haproxy.cfg": "0640 root:haproxy",
    "/etc/haproxy/pgherd-users.cfg": "0600 root:root",
    "/etc/keepalived/check-haproxy": "0755 root:root",
    "/etc/keepalived/keepalived.conf": "0644 root:root",
    "/etc/keepalived/secret.conf": "0600 root:root",
    "/etc/patroni/pgherd/10-member.yml": "0640 root:postgres",
    "/etc/patroni/pgherd/20-secrets.yml": "0640 root:postgres",
    "/etc/systemd/system/etcd.service.d/pgherd.conf": "0644 root:root",
    "/etc/systemd/system/haproxy.service.d/pgherd.conf": "0644 root:root",
    "/etc/systemd/system/patroni.service.d/pgherd.conf": "0644 root:root",
    "/var/lib/pgherd/before-patroni": "0644 root:root",
    "/var/lib/pgherd/data-place": "0755 root:root",
    "/var/lib/pgherd/give-dcs-lead-away": "0755 root:root",
    "/var/lib/pgherd/promoted": "0755 root:root",
  });
});

test("every file ends in a newline, which a here-document needs", () => {
  expect(files.filter(({ content }) => !content.endsWith("\n")).map(({ path }) => path)).toEqual(
    [],
  );
});

test("passwords stand in the secret files and nowhere else", () => {
  const open = JSON.stringify(lab) + JSON.stringify(distinct(lab, (service) => service.files));
  for (const secret of Object.values(SECRETS)) expect(open).not.toContain(secret);
  const secretText = JSON.stringify(distinct(lab, (service) => revealed(service.secretFiles)));
  for (const secret of Object.values(SECRETS)) expect(secretText).toContain(secret);
});

test("a file that holds a password can be read by root and its daemon only, and written by root only", () => {
  const secret = distinct(lab, (service) => revealed(service.secretFiles));
  const allowed = ["0600 root:root", "0640 root:postgres"];
  expect(secret.filter(({ owner }) => !allowed.includes(owner))).toEqual([]);
});

test("the lab's hosts are prepared for their daemons", () => {
  const [db1] = lab.hosts;
  expect(lab.hosts.map(({ host }) => host)).toEqual(["db1", "db2", "db3", "lb1", "lb2"]);
  expect(db1).toMatchObject({
    packages: [
      ...["curl", "etcd-client", "etcd-server", "nftables", "patroni"],
      ...["postgresql-17", "python3-etcd"],
    ],
    masked: ["postgresql.service", "postgresql@17-main.service"],
  });
  expect(lab.hosts.at(-1)).toMatchObject({
    packages: ["haproxy", "keepalived", "nftables"],
    masked: [],
  });
});

test("a host that has no part in the cluster is left alone", () => {
  expect(JSON.stringify(lab)).not.toContain("backup1");
  expect(JSON.stringify(lab)).not.toContain("10.89.0.41");
});

test("clients are led to the virtual IP, or to each balancer where there is none", () => {
  expect(lab.entryPoint?.addresses).toEqual(["10.89.0.100"]);
  const settings = readStack("lab");
  const { vip, ...loadBalancers } = settings.cluster.loadBalancers ?? { hosts: [] };
  expect(vip).toEqual(["10.89.0.100/24"]);
  const without = planCluster({
    ...settings,
    cluster: { ...settings.cluster, loadBalancers: { ...loadBalancers, vip: [] } as never },
  });
  expect(without.entryPoint?.addresses).toEqual(["10.89.0.31", "10.89.0.32"]);
  expect(without.services.filter(({ daemon }) => daemon === "keepalived")).toEqual([]);
});

test("no two balancers have the same priority", () => {
  const priorities = files
    .filter(({ path }) => path === "/etc/keepalived/keepalived.conf")
    .map(({ content }) => /priority (\d+)/.exec(content)?.[1]);
  expect(priorities).toEqual(["254", "244"]);
});

const ipv6 = planCluster(
  parseSettings({
    hosts: {
      db1: { address: "fd00:89::11" },
      lb1: { address: "fd00:89::31" },
      lb2: { address: "fd00:89::32" },
    },
    cluster: {
      name: "six",
      members: ["db1"],
      dcs: { kind: "etcd", members: ["db1"] },
      loadBalancers: { hosts: ["lb1", "lb2"], vip: "fd00:89::100/64", interface: "eth0" },
    },
  }),
);

test("IPv6 addresses are bracketed where a port follows", () => {
  const text = distinct(ipv6, (service) => service.files)
    .map(({ content }) => content)
    .join("");
  expect(text).toContain("ETCD_LISTEN_PEER_URLS='http://[fd00:89::11]:2380'");
  expect(text).toContain('connect_address: "[fd00:89::11]:5432"');
  expect(text).toContain('listen: "[fd00:89::11]:8008"');
  expect(text).toContain("server db1 [fd00:89::11]:5432 check port 8008");
  expect(text).not.toMatch(/fd00:89::\d+:\d/);
  expect(ipv6.dcs.members).toEqual({ db1: "http://[fd00:89::11]:2379" });
  expect(ipv6.patroni.members).toEqual({ db1: "[fd00:89::11]:8008" });
});

test("IPv6 addresses stand bare where none follows", () => {
  const text = distinct(ipv6, (service) => service.files)
    .map(({ content }) => content)
    .join("");
  expect(text).toContain("unicast_src_ip fd00:89::31");
  expect(text).toContain("fd00:89::100/64");
  expect(text).toContain("host replication replicator fd00:89::11/128 scram-sha-256");
  expect(ipv6.entryPoint?.addresses).toEqual(["fd00:89::100"]);
});

test("Patroni's files are YAML and hold together what one file would", () => {
  const [member, secrets] = ["10-member.yml", "20-secrets.yml"].map(
    (name) => parse(files.find(({ path }) => path.endsWith(name))?.content ?? "") as object,
  );
  expect(member).toMatchObject({
    scope: "demo",
    name: "db1",
    tags: { nofailover: false, noloadbalance: false, clonefrom: false, nosync: false },
    postgresql: { authentication: { replication: { username: "replicator" } } },
  });
  expect(secrets).toMatchObject({
    restapi: { authentication: { password: "REST-API-PASSWORD" } },
    postgresql: {
      authentication: { replication: { username: "replicator", password: "REPLICATION-PASSWORD" } },
    },
  });
});

test.each([
  [{ failover_priority: 0 }, { failover_priority: 0 }],
  [{ nofailover: false, failover_priority: 2 }, { failover_priority: 2 }],
  [{ nofailover: true, failover_priority: 0 }, { nofailover: true }],
])(
  "of two tags that say who may lead Patroni is told one, since it heeds one: %j",
  (given, told) => {
    const raw = rawStack("lab") as { cluster: { members: unknown[] } };
    raw.cluster.members[2] = { host: "db3", tags: given };
    const { services } = planCluster(parseSettings(raw));
    const { files = {} } =
      services.find((one) => one.host === "db3" && one.daemon === "patroni") ?? {};
    const { tags } = parse(files["/etc/patroni/pgherd/10-member.yml"]?.content ?? "") as object & {
      tags: object;
    };
    expect(tags).toEqual({ noloadbalance: false, clonefrom: false, nosync: false, ...told });
  },
);

test("superusers get in by the local socket only", () => {
  const member = files.find(({ path }) => path.endsWith("10-member.yml"))?.content ?? "";
  const { postgresql } = parse(member) as { postgresql: { pg_hba: string[] } };
  const reached = postgresql.pg_hba.findIndex((line) => line.startsWith("host all all "));
  const refused = postgresql.pg_hba.indexOf("host all postgres,replicator,rewinder all reject");
  expect(refused).toBeGreaterThan(-1);
  expect(refused).toBeLessThan(reached);
  expect(postgresql.pg_hba.join("\n")).not.toMatch(/\b(trust|md5|password)$/m);
});

test("an IPv4 address beside an IPv6 one comes and goes with it", () => {
  const settings = readStack("lab");
  const balancers = settings.cluster.loadBalancers;
  const both = planCluster({
    ...settings,
    cluster: {
      ...settings.cluster,
      loadBalancers: { ...balancers, vip: ["fd00:89::100/64", "10.89.0.100/24"] } as never,
    },
  });
  const keepalived = both.services.find(({ daemon }) => daemon === "keepalived");
  const text = keepalived?.files["/etc/keepalived/keepalived.conf"]?.content ?? "";
  expect(text).toMatch(/virtual_ipaddress {\s+10.89.0.100\/24\s+}/);
  expect(text).toMatch(/virtual_ipaddress_excluded {\s+fd00:89::100\/64\s+}/);
  expect(both.connection.primary).toBe("postgresql://[fd00:89::100]:5000,10.89.0.100:5000/");
});

test("the replica port falls back to the primary only if asked", () => {
  const settings = readStack("lab");
  const balancers = settings.cluster.loadBalancers;
  const config = (replicaFallback: boolean) => {
    const { services } = planCluster({
      ...settings,
      cluster: { ...settings.cluster, loadBalancers: { ...balancers, replicaFallback } as never },
    });
    const haproxy = services.find(({ daemon }) => daemon === "haproxy");
    return haproxy?.files["/etc/haproxy/haproxy.cfg"]?.content ?? "";
  };
  expect(config(false)).not.toContain("default_backend");
  expect(config(true)).toMatch(
    /frontend replica\n[^#]*use_backend replica if { nbsrv\(replica\) gt 0 }\n\s+default_backend primary\n\nbackend replica\n/,
  );
});

test("without load balancers clients look for the member that they need themselves", () => {
  const settings = readStack("lab");
  const { connection, services } = planCluster({
    ...settings,
    cluster: {
      ...settings.cluster,
      loadBalancers: undefined,
      firewall: {
        clients: ["10.1.0.0/16", "10.2.0.7"],
        ssh: ["0.0.0.0/0"],
        admins: [],
        monitors: [],
        allow: [],
      },
    },
  });
  const members = "postgresql://10.89.0.11:5432,10.89.0.12:5432,10.89.0.13:5432/";
  expect(connection).toEqual({
    primary: `${members}?target_session_attrs=read-write`,
    replica: `${members}?target_session_attrs=prefer-standby`,
  });
  const patroni = services.find(({ daemon }) => daemon === "patroni");
  const text = patroni?.files["/etc/patroni/pgherd/10-member.yml"]?.content ?? "";
  expect(text).toContain("host all all 10.1.0.0/16 scram-sha-256");
  expect(text).toContain("host all all 10.2.0.7/32 scram-sha-256");
});

test.each([
  ["quorum", { role: "quorum_standby", count: 1 }, "/quorum"],
  ["strict", { role: "sync_standby", count: 1 }, "/sync"],
  ["synchronous", { role: "sync_standby", count: 1 }, "/sync"],
  ["asynchronous", null, "/sync"],
])("replication %s is checked by the role of its replicas", (mode, expected, path) => {
  const settings = readStack("lab");
  const { patroni, services } = planCluster({
    ...settings,
    cluster: {
      ...settings.cluster,
      replication: { mode: mode as "quorum", count: 1, acceptBlocking: false },
    },
  });
  expect(patroni.synchronous).toEqual(expected);
  const haproxy = services.find(({ daemon }) => daemon === "haproxy");
  expect(haproxy?.files["/etc/haproxy/haproxy.cfg"]?.content).toMatch(
    new RegExp(`listen synchronous\n[^#]*OPTIONS ${path}\n`),
  );
});
