import { join } from "node:path";
import { expect, test } from "vitest";
import { readStack } from "../../src/cli/stack";
import { planFirewalls } from "../../src/plan/firewall";
import { FORK_MARK } from "../../src/plan/flows";
import { planFork, planForks } from "../../src/plan/forks";
import { planPreflight } from "../../src/plan/preflight";

const GOLDEN = join(import.meta.dirname, "golden-forks");

const lab = readStack("lab");
const wish = {
  name: "try",
  from: "replica",
  port: 5433,
  memory: 512 * 2 ** 20,
  disk: 10 * 2 ** 30,
  ttl: 86400,
};
const fork = planFork(lab, wish);

test.each(Object.entries(fork.files))(
  "a fork's %s is as in its golden file",
  async (path, file) => {
    const name = `${path.replace("/var/lib/postgresql/17/", "").replaceAll("/", ".")}.txt`;
    await expect(file.content).toMatchFileSnapshot(join(GOLDEN, name));
  },
);

test("a fork has room for what its database has received by subscriptions, which is replayed", () => {
  const settingsOf = (version: number) => {
    const postgresql = { ...lab.cluster.postgresql, version } as typeof lab.cluster.postgresql;
    const { files, folder } = planFork({ ...lab, cluster: { ...lab.cluster, postgresql } }, wish);
    return files[`${folder}/postgresql.conf`]?.content ?? "";
  };
  expect(settingsOf(17)).toContain("max_replication_slots = 1000\n");
  expect(settingsOf(17)).not.toContain("max_active_replication_origins");
  expect(settingsOf(18)).toContain("max_active_replication_origins = 1000\n");
  // No subscription, and no job of any extension.
  expect(settingsOf(17)).toContain(
    "max_logical_replication_workers = 0\nmax_worker_processes = 0\n",
  );
});

test("a fork lies beside the data, where it can share blocks with it", () => {
  expect(fork.folder).toBe("/var/lib/postgresql/17/forks/try");
  const cluster = {
    ...lab.cluster,
    postgresql: { ...lab.cluster.postgresql, dataDirectory: "/srv/pg/main" },
  };
  expect(planFork({ ...lab, cluster }, wish).folder).toBe("/srv/pg/forks/try");
});

test("what a stack says of a fork is in bytes and seconds by then", () => {
  const forks = [
    { name: "a", from: "db3", port: 5433, memory: "1GB", disk: "2GB", ttl: "3d" },
    { name: "b", from: "replica", port: 5434, memory: "512MB", disk: "10GB" },
  ];
  const planned = planForks({ ...lab, cluster: { ...lab.cluster, forks } });
  expect(planned).toMatchObject([
    { name: "a", memory: 2 ** 30, disk: 2 ** 31, ttl: 3 * 86400 },
    { name: "b", ttl: 0 },
  ]);
});

test("the members let a fork's clients in by the mark that the fork's own rules set", () => {
  const rules = (host: string) => planFirewalls(lab).find((plan) => plan.host === host)?.rules;
  expect(rules("db1")).toContain(`meta mark ${FORK_MARK} accept`);
  expect(rules("lb1")).not.toContain("mark");
  expect(fork.files["/var/lib/pgherd/fork-try.nft"]?.content).toContain(
    `ip saddr { 10.89.0.0/24 } tcp dport 5433 meta mark set ${FORK_MARK}`,
  );
});

test("without a firewall a fork has no rules either", () => {
  const open = planFork({ ...lab, cluster: { ...lab.cluster, firewall: false } }, wish);
  expect(Object.keys(open.files).join()).not.toContain(".nft");
  expect(JSON.stringify(open.files)).not.toContain("/usr/sbin/nft");
});

test("members that forks are made from need a file system that copies on write", () => {
  const needs = (from: string) => {
    const forks = [{ name: "a", from, port: 5433, memory: "1GB", disk: "2GB" }];
    const { hosts } = planPreflight({ ...lab, cluster: { ...lab.cluster, forks } });
    return Object.keys(hosts).filter((host) => hosts[host]?.copyOnWrite);
  };
  expect(needs("replica")).toEqual(["db1", "db2", "db3"]);
  expect(needs("db2")).toEqual(["db2"]);
});
