import { readFileSync } from "node:fs";
import { afterAll, beforeAll } from "vitest";
import { down } from "../../../src/lab/down";
import { labPaths } from "../../../src/lab/paths";
import { powerOn } from "../../../src/lab/power";
import type { ClusterStatus } from "../../../src/operations/status";
import { LabCluster } from "../lab-cluster";
import { LAB } from "./lab";

// One cluster on real hosts for all files of this folder, one for each operation: a file takes the one that stands,
// else it makes one, so that each can run alone. test/lab/end.ts ends it after the last.

export const DATABASES = ["db1", "db2", "db3"];
export const HOSTS = [...DATABASES, "lb1", "lb2"];

/** What stacks/Pulumi.lab.yaml says, on the hosts of the lab. */
export const cluster = new LabCluster(LAB);

/** Gives the tests of a file blank hosts. What they have made of them stands for the files that come after. */
export function blank(): void {
  beforeAll(boot, 1_200_000);
  afterAll(restore, 1_200_000);
}

/**
 * Gives the tests of a file a healthy cluster in which the table `notes` of the database app has 100 rows, and sees that
 * they leave it as they found it: where that cannot be, this file fails, and the next begins with blank hosts.
 */
export function standing(): void {
  beforeAll(async () => {
    if (!(await stands())) {
      await boot();
      await cluster.deploy();
      await cluster.healthy();
      // The state has what was made in short forms until a run has looked at it.
      await cluster.deploy();
    }
    await cluster.sql(
      5000,
      "create table if not exists notes (id int primary key, at timestamptz default now()); " +
        "insert into notes select generate_series(1, 100) on conflict do nothing",
    );
  }, 1_200_000);
  afterAll(restore, 1_200_000);
}

async function stands(): Promise<boolean> {
  const seen = await cluster.status().catch(() => undefined);
  return seen?.healthy === true;
}

async function boot(): Promise<void> {
  await cluster.boot({ topology: "standard", distro: "trixie", dataFs: "xfs" });
  await Promise.all(HOSTS.map((host) => cluster.onHost(host, WATCH_ARGUMENTS)));
}

async function restore(): Promise<void> {
  try {
    await powerOn(LAB, HOSTS);
    await cluster.deploy("--refresh");
    await cluster.healthy();
  } catch (error) {
    if (!process.env.PGHERD_TEST_KEEP) await down(LAB);
    throw error;
  }
}

/** Collects every command line that is ever seen on the host, until the host ends. */
const WATCH_ARGUMENTS =
  'sudo sh -c \'umask 077; (while sleep 0.3; do cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "; done ' +
  ">/var/lib/seen-arguments 2>/dev/null </dev/null &) '";

/** What changes on the hosts when a run does something there: files and lives of the daemons. */
export function fingerprints(): Promise<string[]> {
  const look =
    'sudo sh -c \'find /etc /var/lib/pgherd -type f -exec stat -c "%n %i %Y %Z" {} + | sort; ' +
    "for u in etcd patroni haproxy keepalived; do systemctl show $u.service -p InvocationID -p StateChangeTimestamp; done'";
  return Promise.all(HOSTS.map((host) => cluster.onHost(host, look)));
}

/** What the lab's configuration for SSH says, such as `~/known_hosts` for UserKnownHostsFile. */
export function sshOption(name: string): string {
  const config = readFileSync(labPaths(LAB).sshConfig, "utf8");
  return new RegExp(`${name} "?([^"\n]+)"?`).exec(config)?.[1] ?? "";
}

/** Name of the replica that confirms; empty while none does. */
export function synchronousOf({ members }: ClusterStatus): string {
  return members.find(({ role }) => role === "sync_standby")?.name ?? "";
}

/** The balancer that has the virtual IP; empty while none has. */
export function holderOf({ loadBalancers }: ClusterStatus): string {
  return loadBalancers.find(({ holdsVip }) => holdsVip)?.host ?? "";
}
