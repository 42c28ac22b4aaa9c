import type { Probe } from "../host/host";
import { quote } from "../host/shell";

/** A fork as its host knows it. */
export interface Fork {
  readonly name: string;
  /** The member on whose host it lives, and whose blocks it shares. */
  readonly host: string;
  readonly port: number;
  /** `running`; `stopped` for whatever reason; `incomplete` where a run that made it was cut off. */
  readonly state: "running" | "stopped" | "incomplete";
  /** Why the host has stopped it; empty where it has not. */
  readonly reason: string;
  /** Bytes that it may use. */
  readonly memory: number;
  readonly disk: number;
  /** Seconds for which it was to stay; 0 for ever. */
  readonly ttl: number;
  /** When it was made, and when the host removes it, in seconds since 1970; 0: never. */
  readonly begun: number;
  readonly ends: number;
  /** How long the copying took, in milliseconds. */
  readonly copied: number;
  /** Its own, one more than the cluster's was. */
  readonly timeline: number;
  /** Bytes of the disk that only it has; only where that was asked. */
  readonly own?: number;
}

/** The unit that runs a fork. */
export function forkUnit(name: string): string {
  return `pgherd-fork-${name}.service`;
}

/**
 * All forks of a host.
 * @param folder that they lie in: `/var/lib/postgresql/17/forks`
 * @param keeper the host's tool for them, to ask how much of the disk each takes, which takes a moment.
 */
export function forksProbe(host: string, folder: string, keeper?: string): Probe<Fork[]> {
  const own = keeper ? `echo "own=$(sh ${quote(keeper)} own "$name")"` : ":";
  return {
    script: `for fork in ${quote(folder)}/*/; do
  [ -d "$fork" ] || continue
  name=\${fork%/}
  name=\${name##*/}
  echo "fork=$name"
  cat "$fork/record" 2>/dev/null || continue
  echo "unit=$(systemctl is-active "pgherd-fork-$name.service")"
  echo "reason=$(cat "$fork/stopped" 2>/dev/null)"
  ${own}
done`,
    parse: (output) =>
      output
        .split(/^fork=/m)
        .slice(1)
        .map((text) => parseFork(host, text)),
  };
}

/** The password of a fork's roles, which root alone may read there; empty where there is none. */
export function forkPasswordProbe(folder: string): Probe<string> {
  return {
    script: `cat ${quote(`${folder}/password`)} 2>/dev/null || :`,
    parse: (output) => output.trim(),
  };
}

/** TCP ports that something listens on. */
export const listeningProbe: Probe<number[]> = {
  script: `cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r _ local _ state _; do [ "$state" != 0A ] || echo "\${local##*:}"; done`,
  // /proc/net/tcp(5): hexadecimal ports, state 0A is LISTEN.
  parse: (output) => [
    ...new Set(
      output
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => parseInt(line, 16)),
    ),
  ],
};

function parseFork(host: string, text: string): Fork {
  const [name = "", ...lines] = text.split("\n");
  const fields = new Map(
    lines.map((line): [string, string] => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
  const number = (key: string) => Number(fields.get(key) || 0);
  const complete = fields.has("unit");
  const runs = fields.get("unit") === "active";
  return {
    name,
    host,
    port: number("port"),
    state: complete ? (runs ? "running" : "stopped") : "incomplete",
    reason: fields.get("reason") ?? "",
    memory: number("memory"),
    disk: number("disk"),
    ttl: number("ttl"),
    begun: number("begun"),
    ends: number("ends"),
    copied: number("copied"),
    timeline: number("timeline"),
    ...(fields.has("own") ? { own: number("own") } : {}),
  };
}
