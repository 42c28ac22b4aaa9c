import type { Probe } from "../host/host";
import { quote } from "../host/shell";

/** Names the cluster that a host belongs to, and outlives `pulumi destroy`, as the data does. */
export const CLUSTER_RECORD = "/var/lib/pgherd/cluster";

/** What a host is, as far as it matters before the first change. */
export interface HostFacts {
  /** e.g. `debian 13` */
  readonly system: string;
  /** e.g. `x86_64` */
  readonly architecture: string;
  /** Name of process 1: `systemd`. */
  readonly init: string;
  /** The cluster that pgherd has made the host a part of; empty for none. */
  readonly cluster: string;
  /** TCP ports that something listens on. */
  readonly listening: readonly number[];
  /** Names of the network interfaces. */
  readonly interfaces: readonly string[];
  /** Whether the data directory holds anything. */
  readonly dataFound: boolean;
}

export function hostProbe(dataDirectory = "/nonexistent"): Probe<HostFacts> {
  return {
    script: [
      `. /etc/os-release; echo "system $ID $VERSION_ID"`,
      `echo "architecture $(uname -m)"`,
      `echo "init $(cat /proc/1/comm)"`,
      `echo "cluster $(cat ${CLUSTER_RECORD} 2>/dev/null)"`,
      `echo "data $(ls -A ${quote(dataDirectory)} 2>/dev/null | head -n 1)"`,
      `cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r _ local _ state _; do [ "$state" = 0A ] && echo "listening \${local##*:}"; done`,
      `for interface in /sys/class/net/*; do echo "interface \${interface##*/}"; done`,
    ].join("\n"),
    parse(output) {
      const lines = output.split("\n").map((line): [string, string] => {
        const at = line.indexOf(" ");
        return [line.slice(0, at), line.slice(at + 1).trim()];
      });
      const all = (key: string) => lines.filter(([name]) => name === key).map(([, value]) => value);
      const first = (key: string) => all(key)[0] ?? "";
      return {
        system: first("system"),
        architecture: first("architecture"),
        init: first("init"),
        cluster: first("cluster"),
        dataFound: first("data") !== "",
        // /proc/net/tcp(5): hexadecimal ports, state 0A is LISTEN.
        listening: [...new Set(all("listening").map((port) => parseInt(port, 16)))],
        interfaces: all("interface"),
      };
    },
  };
}
