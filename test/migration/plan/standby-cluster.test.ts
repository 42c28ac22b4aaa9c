import { expect, test } from "vitest";
import { parseSettings } from "../../../src/config/parse";
import { planConfiguration } from "../../../src/plan/dynamic-configuration";
import { planMigrated } from "../../../src/migration/plan/migrated";
import { planCluster } from "../../../src/plan/plan";
import type { HostsFacts } from "../../../src/resources/inputs/preflight";
import { SOURCE } from "../../source";

const HOSTS = {
  old: { address: "10.0.0.9" },
  a1: { address: "10.0.0.1" },
  a2: { address: "10.0.0.2" },
  a3: { address: "10.0.0.3" },
};

const FACTS: HostsFacts = {
  smallest: { memory: 8 * 2 ** 30, cores: 4, disk: 200 * 2 ** 30 },
  versions: { patroni: "4.0.7" },
};

const plan = (migration: object = {}, cluster: object = {}) =>
  planCluster(settings(migration, cluster));

const settings = (migration: object = {}, cluster: object = {}) =>
  parseSettings({
    hosts: HOSTS,
    cluster: {
      name: "web-shop",
      members: ["a1", "a2", "a3"],
      dcs: { kind: "etcd", members: ["a1", "a2", "a3"] },
      firewall: false,
      migration: { method: "standbyCluster", from: "old", ...migration },
      ...cluster,
    },
  });

test("members of a standby cluster begin by following the old server", () => {
  expect(plan({ port: 5433 }).standby?.beginning).toEqual({
    standby_cluster: {
      host: "10.0.0.9",
      port: 5433,
      primary_slot_name: "pgherd_web_shop",
      create_replica_methods: ["basebackup"],
    },
  });
});

test("the old server's host has no part in the cluster: nothing is set up there", () => {
  const { hosts, services, firewalls, preflight } = plan();
  expect(hosts.map(({ host }) => host)).toEqual(["a1", "a2", "a3"]);
  expect(services.map(({ host }) => host)).not.toContain("old");
  expect(firewalls).toEqual([]);
  expect(Object.keys(preflight.hosts)).not.toContain("old");
});

test("the copies have the old server's settings and rules, and let Patroni in, but not its slots", () => {
  const configuration = planConfiguration(settings(), FACTS, SOURCE);
  expect(configuration).not.toHaveProperty("slots");
  // What follows it begins and ends without being told again by every run.
  expect(configuration).not.toHaveProperty("standby_cluster");
  expect(configuration.postgresql).toMatchObject({ parameters: { work_mem: "6MB" } });
  const files = planMigrated(settings(), SOURCE).files.a1 ?? {};
  const hba = files["/etc/patroni/pgherd/10-member.yml"]?.content.split("pg_hba:\n")[1] ?? "";
  const lines = hba.split("\n").map((line) => line.trim());
  expect(lines[0]).toBe('- "local all postgres peer"');
  expect(lines).toContain('- "host shop shop 10.0.0.0 255.255.255.0 scram-sha-256"');
});

test("there are no backups before the cluster has taken the old server's place", () => {
  const backup = { backup: { host: "a4" } };
  const hosts = { ...HOSTS, a4: { address: "10.0.0.4" } };
  const until = (step: string) =>
    planCluster(
      parseSettings({
        hosts,
        cluster: {
          name: "shop",
          members: ["a1", "a2"],
          dcs: { kind: "etcd", members: ["a1", "a2", "a3"] },
          firewall: false,
          migration: { method: "standbyCluster", from: "old", until: step },
          ...backup,
        },
      }),
    );
  expect(until("balanced").backup).toBeUndefined();
  expect(until("cutOver").backup?.host).toBe("a4");
  // What stands in their way is looked for from the beginning.
  expect(until("prepared").standby?.survey.backup).toEqual({
    roles: ["barman", "streaming_barman"],
    slot: "barman",
  });
});

test.each<[name: string, migration: object, cluster: object, problem: string]>([
  [
    "a member",
    { from: "a1" },
    {},
    'pgherd:cluster.migration.from: expected a host without a part in the cluster, got "a1", which has one. Use other hosts, or the method adopt.',
  ],
  [
    "no host",
    { from: "a9" },
    {},
    'pgherd:cluster.migration.from: expected one of pgherd:hosts (old, a1, a2, a3), got "a9". Add the host of the old server there.',
  ],
  [
    "a step that this way has not",
    { until: "adopted" },
    {},
    'pgherd:cluster.migration.until: expected "prepared" or "replicated" or "balanced" or "cutOver", got "adopted".',
  ],
  [
    "another way than the two",
    { method: "copy" },
    {},
    'pgherd:cluster.migration.method: expected "adopt" or "standbyCluster", got "copy".',
  ],
  [
    "data of a backup besides",
    {},
    {
      postgresql: {
        bootstrap: {
          host: "a3",
          from: "barman",
          cluster: "shop",
          target: { time: "2026-11-21 14:30+01" },
        },
      },
    },
    "pgherd:cluster.postgresql.bootstrap: expected nothing, since the data comes from pgherd:cluster.migration.from. Remove it.",
  ],
])("%s is refused as the old server", (_name, migration, cluster, problem) => {
  expect(() => plan(migration, cluster)).toThrow(problem);
});
