import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { addHost } from "../src/lab/add-host";
import { reset } from "../src/lab/power";
import { readState } from "../src/lab/state";
import { labPaths } from "../src/lab/paths";
import type { Progress } from "../src/lab/progress";
import { hostsOf } from "../src/lab/topology";
import { up } from "../src/lab/up";
import { packageRoot } from "../src/package-root";

/** The lab that all is measured on. */
export const LAB = "bench";

/** How many hosts a cluster is measured with. */
export const SIZES = [3, 5, 10, 20] as const;
export type Size = (typeof SIZES)[number];

/**
 * Which hosts a cluster of this size has, by their parts. Three of them hold etcd, two balance, and all that do not
 * balance hold the data; of three hosts two have all parts.
 */
export function partsOf(size: Size): {
  readonly members: readonly string[];
  readonly balancers: readonly string[];
} {
  const count = size === 3 ? 3 : size - 2;
  const members = Array.from({ length: count }, (_, i) => `db${i + 1}`);
  return { members, balancers: size === 3 ? ["db1", "db2"] : ["lb1", "lb2"] };
}

/** The hosts of a cluster of this size: `["db1", "db2", "db3", "lb1", "lb2"]`. */
export function hostsIn(size: Size): string[] {
  const { members, balancers } = partsOf(size);
  return [...new Set([...members, ...balancers])];
}

/** Last octet of the address of a member that is in no topology: 54 for db4. */
function octetOf(host: string): number {
  return 50 + Number(host.replace(/\D/g, ""));
}

/** Boots the lab where it is not up, and the hosts that a cluster of this size has beyond the standard ones. */
export async function bootHosts(size: Size, progress: Progress): Promise<void> {
  await up(LAB, { topology: "standard", distro: "trixie", progress });
  const there = readState(labPaths(LAB))?.hosts.map(({ name }) => name) ?? [];
  for (const host of hostsIn(size).filter((name) => !there.includes(name)))
    await addHost(LAB, host, octetOf(host), progress);
}

/** Makes all hosts blank that the lab has, so that none of them is busy with what was measured before. */
export async function blankHosts(): Promise<void> {
  await reset(LAB);
}

/** A stack file for a cluster of this size, made from the lab's own. */
export function writeStackFile(size: Size, file: string, checkTimeout: number): void {
  const stack = parse(
    readFileSync(join(packageRoot(), "stacks/Pulumi.lab.yaml"), "utf8"),
  ) as StackFile;
  const { members, balancers } = partsOf(size);
  const standard = Object.fromEntries(
    hostsOf("standard").map(({ name, address }) => [name, address]),
  );
  const address = (host: string) => standard[host] ?? `10.89.0.${octetOf(host)}`;
  stack.config["pgherd:hosts"] = Object.fromEntries(
    hostsIn(size).map((host) => [host, { address: address(host) }]),
  );
  Object.assign(stack.config["pgherd:cluster"], { members, failover: failover(checkTimeout) });
  stack.config["pgherd:cluster"].loadBalancers.hosts = balancers;
  writeFileSync(file, stringify(stack));
}

interface StackFile {
  readonly config: {
    "pgherd:hosts": unknown;
    "pgherd:cluster": { loadBalancers: { hosts: readonly string[] } };
  };
}

/** Patroni's own timings, with the seconds after which one of HAProxy's checks has failed. */
function failover(checkTimeout: number): object {
  return {
    ...{ ttl: 30, loopWait: 10, retryTimeout: 10, primaryStartTimeout: 60 },
    checks: { interval: 3, fastInterval: 1, timeout: checkTimeout, fall: 3, rise: 2 },
  };
}
