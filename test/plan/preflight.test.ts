import { expect, test } from "vitest";
import { readStack } from "../../src/cli/stack";
import { planPreflight } from "../../src/plan/preflight";

const settings = readStack("lab");
const lab = planPreflight(settings);

test("a member is asked for all that its daemons need", () => {
  expect(lab.hosts.db1).toEqual({
    address: "10.89.0.11",
    packages: expect.arrayContaining(["etcd-server", "patroni", "postgresql-17"]),
    ports: { 2379: "etcd", 2380: "etcd", 5432: "patroni", 8008: "patroni" },
    reaches: ["db2", "db3"].flatMap((to) => [
      { to, port: 2379, purpose: "etcd" },
      { to, port: 2380, purpose: "etcd's peers" },
      { to, port: 5432, purpose: "PostgreSQL" },
      { to, port: 8008, purpose: "Patroni's REST API" },
    ]),
    dataDirectory: "/var/lib/postgresql/17/main",
    dcsDirectory: "/var/lib/etcd/demo",
    interface: undefined,
    locale: "C.UTF-8",
    memory: 512 * 2 ** 20,
    watchdog: false,
    timeSync: true,
  });
});

test("a load balancer is asked for its entrances and its interface", () => {
  expect(lab.hosts.lb1).toEqual({
    address: "10.89.0.31",
    packages: expect.arrayContaining(["haproxy", "keepalived"]),
    ports: { 5000: "haproxy", 5001: "haproxy", 5002: "haproxy", 5003: "haproxy", 7000: "haproxy" },
    reaches: ["db1", "db2", "db3"].flatMap((to) => [
      { to, port: 5432, purpose: "PostgreSQL" },
      { to, port: 8008, purpose: "Patroni's REST API" },
    ]),
    dataDirectory: undefined,
    dcsDirectory: undefined,
    interface: "host0",
    locale: undefined,
    memory: undefined,
    watchdog: false,
    timeSync: true,
  });
});

test("hosts must reach each other where the user has other rules than pgherd's too", () => {
  const cluster = { ...settings.cluster, firewall: false as const };
  const own = planPreflight({ ...settings, cluster });
  expect(own.hosts.db1?.reaches).toEqual(lab.hosts.db1?.reaches);
});

test("only hosts with a part in the cluster are asked", () => {
  expect(Object.keys(lab.hosts)).toEqual(["db1", "db2", "db3", "lb1", "lb2"]);
});

test("hosts must agree on versions, and nobody else may hold the virtual IP", () => {
  expect(lab.sameVersions).toEqual(["patroni", "postgresql-17", "etcd-server"]);
  expect(lab.vips).toEqual(["10.89.0.100"]);
  expect(lab.versions.map((rule) => rule.package)).toContain("patroni");
});

test("what a cluster keeps for its life is told as text", () => {
  expect(lab.fixed).toEqual({
    "postgresql.version": "17",
    "postgresql.dataDirectory": "/var/lib/postgresql/17/main",
    "postgresql.dataChecksums": "true",
    "postgresql.locale": "C.UTF-8",
    "migration.from": "none",
    "migration.method": "adopt",
    members: "db1, db2, db3",
    "dcs.kind": "etcd",
    "dcs.members": "db1, db2, db3",
    "dcs.clientPort": "2379",
    "dcs.peerPort": "2380",
    "dcs.token": "demo",
    "dcs.dataDirectory": "/var/lib/etcd/demo",
  });
});

test("memory that is left out is not asked for", () => {
  const { cluster } = settings;
  const { hosts } = planPreflight({
    ...settings,
    cluster: { ...cluster, postgresql: { ...cluster.postgresql, resources: {} } },
  });
  expect(hosts.db1?.memory).toBeUndefined();
});

test("memory and watchdog are asked for where the user did, and of members only", () => {
  const { cluster } = settings;
  const { hosts } = planPreflight({
    ...settings,
    cluster: {
      ...cluster,
      postgresql: { ...cluster.postgresql, resources: { memory: "2GB" } },
      failover: { ...cluster.failover, watchdog: "required" },
      system: { ...cluster.system, timeSync: false },
    },
  });
  expect(hosts.db2).toMatchObject({ memory: 2 ** 31, watchdog: true, timeSync: false });
  expect(hosts.lb2).toMatchObject({ watchdog: false, timeSync: false });
  expect(hosts.lb2?.memory).toBeUndefined();
});

test("who is let in by SSH is looked at where the stack says so, with the hosts that log in to each other", () => {
  expect(lab.logins).toBeUndefined();
  const firewall = { ...(settings.cluster.firewall || {}), ssh: ["10.1.0.0/16"] };
  const cluster = { ...settings.cluster, firewall } as typeof settings.cluster;
  expect(planPreflight({ ...settings, cluster }).logins?.lb1).toEqual(["10.1.0.0/16"]);
});
