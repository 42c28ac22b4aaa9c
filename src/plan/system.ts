import type { ClusterSettings, Settings } from "../config/schema";
import { PATRONI_PORT } from "./patroni";
import type { Files, HostPlan } from "./types";

type Kernel = HostPlan["kernel"];

/** Notice a peer that is gone within two minutes, instead of two hours (Pigsty's values). */
const KEEPALIVES: Kernel = {
  "net.ipv4.tcp_keepalive_time": "60",
  "net.ipv4.tcp_keepalive_intvl": "20",
  "net.ipv4.tcp_keepalive_probes": "3",
};

/**
 * A member: memory is for the database, not for swapping it out, and what is dirty is written in small steps, so that
 * a checkpoint does not stop everything. Values of autobase's `sysctl_conf`.
 */
const MEMBER: Kernel = {
  ...KEEPALIVES,
  "vm.swappiness": "1",
  "vm.dirty_background_bytes": String(64 * 2 ** 20),
  "vm.dirty_bytes": String(512 * 2 ** 20),
  "vm.zone_reclaim_mode": "0",
};

/**
 * A load balancer: every client connection is two, one of which needs a local port of its own. Values of autobase's
 * `sysctl_conf` and, for the range of these ports, of its example for balancers.
 */
const BALANCER: Kernel = {
  ...KEEPALIVES,
  "net.core.somaxconn": "65535",
  "net.ipv4.ip_local_port_range": "1024 65535",
  "net.ipv4.tcp_tw_reuse": "1",
};

/**
 * Settings of a host's kernel, by path below `/proc/sys` with dots, sorted; `transparent_hugepage` is the one that
 * stands below `/sys`. The user's own win, and are for every host.
 */
export function planKernel({ cluster }: Settings, host: string): Kernel {
  const { sysctl, transparentHugePages } = cluster.system;
  const member = isMember(cluster, host);
  const kernel = {
    ...(sysctl && member ? MEMBER : {}),
    ...(sysctl && isBalancer(cluster, host) ? balancer(cluster, host) : {}),
    ...(member && transparentHugePages !== "keep"
      ? { transparent_hugepage: transparentHugePages }
      : {}),
    ...Object.fromEntries(
      Object.entries(sysctl || {}).map(([setting, value]) => [setting, folded(String(value))]),
    ),
  };
  return Object.fromEntries(Object.entries(kernel).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The files that bring these settings back when the host starts. They stand there with nothing in them too, so that a
 * setting that is taken back is gone from them.
 */
export function kernelFiles({ cluster }: Settings, host: string, kernel: Kernel): Files {
  const { transparent_hugepage: hugePages, ...sysctl } = kernel;
  return {
    "/etc/sysctl.d/90-pgherd.conf": file(
      Object.entries(sysctl).map(([setting, value]) => `${setting} = ${value}`),
    ),
    ...(isMember(cluster, host)
      ? {
          // With the minus sign a container, which may not write there, starts without an error (tmpfiles.d(5)).
          "/etc/tmpfiles.d/pgherd-thp.conf": file(
            hugePages
              ? [`w- /sys/kernel/mm/transparent_hugepage/enabled - - - - ${hugePages}`]
              : [],
          ),
        }
      : {}),
  };
}

function file(lines: readonly string[]): Files[string] {
  return {
    mode: "0644",
    owner: "root",
    group: "root",
    content: ["# Written by pgherd.", ...lines, ""].join("\n"),
  };
}

function isMember({ members }: ClusterSettings, host: string): boolean {
  return members.some((member) => member.host === host);
}

function isBalancer({ loadBalancers }: ClusterSettings, host: string): boolean {
  return loadBalancers?.hosts.includes(host) ?? false;
}

function balancer(cluster: ClusterSettings, host: string): Kernel {
  const { dcs, loadBalancers, postgresql } = cluster;
  const listening = [
    ...Object.values(loadBalancers?.ports ?? {}),
    ...(isMember(cluster, host) ? [postgresql.port, PATRONI_PORT] : []),
    ...(dcs.members.includes(host) ? [dcs.clientPort, dcs.peerPort] : []),
  ];
  // So wide a range holds the daemons' own ports: a connection that took one of them would keep its daemon from starting.
  return { ...BALANCER, "net.ipv4.ip_local_reserved_ports": portRanges(listening) };
}

/** Ports as the kernel prints them: `5000-5003,7000`. */
function portRanges(ports: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const port of [...new Set(ports)].sort((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range?.[1] === port - 1) range[1] = port;
    else ranges.push([port, port]);
  }
  return ranges.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(",");
}

/** The kernel prints one tab where a user may write several spaces. */
function folded(value: string): string {
  return value.trim().replace(/\s+/g, " ");
}
