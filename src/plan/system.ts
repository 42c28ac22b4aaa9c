import type { Settings } from "../config/schema";
import { LOCAL_PORTS } from "../roles/kernel";
import { hasRole, rolesOn } from "../roles/roles";
import { portsOn } from "./ports";
import type { Files, HostPlan } from "./types";

type Kernel = HostPlan["kernel"];

/**
 * Settings of a host's kernel, by path below `/proc/sys` with dots, sorted; `transparent_hugepage` is the one that
 * stands below `/sys`. The user's own win, and are for every host.
 */
export function planKernel(settings: Settings, host: string): Kernel {
  const { cluster } = settings;
  const { sysctl, transparentHugePages } = cluster.system;
  const kernel = {
    ...(sysctl ? ofRoles(settings, host) : {}),
    ...(hasRole(cluster, host, "patroni") && transparentHugePages !== "keep"
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
    ...(hasRole(cluster, host, "patroni")
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

function ofRoles(settings: Settings, host: string): Kernel {
  const kernel: Kernel = Object.assign(
    {},
    ...rolesOn(settings.cluster, host).map((role) => role.kernel),
  );
  if (!Object.hasOwn(kernel, LOCAL_PORTS)) return kernel;
  // So wide a range holds the daemons' own ports: a connection that took one of them would keep its daemon from starting.
  const listening = Object.keys(portsOn(settings, host)).map(Number);
  return { ...kernel, "net.ipv4.ip_local_reserved_ports": portRanges(listening) };
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
