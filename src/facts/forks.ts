import type { Probe } from "../host/host";
import { asOwner } from "../host/ownership";
import { quote } from "../host/shell";

/** A fork as its host knows it. */
export interface Fork {
  readonly name: string;
  /** The member on whose host it lives, and whose blocks it shares. */
  readonly host: string;
  readonly port: number;
  /**
   * `running`; `stopped` for whatever reason; `incomplete` where a run that made it was cut off; `broken` where its
   * record does not tell what a fork is: then nothing but its name is known.
   */
  readonly state: "running" | "stopped" | "incomplete" | "broken";
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

/** Where root keeps the password of a fork's roles. */
export function forkPasswordFile(name: string): string {
  return `/var/lib/pgherd/fork-${name}.password`;
}

/** What a fork's record tells; it is postgres's to write. */
const RECORDED = "cluster|name|host|port|memory|disk|ttl|begun|ends|copied|timeline";

/** Those without which it is no record. */
const RECORDED_FIGURES = ["port", "memory", "disk", "ttl", "begun", "ends", "timeline"];

/**
 * All forks of a host.
 * @param folder that they lie in: `/var/lib/postgresql/17/forks`
 * @param tool the host's own one for them, to ask how much of the disk each takes, which takes a moment.
 */
export function forksProbe(host: string, folder: string, tool?: string): Probe<Fork[]> {
  const own = tool ? `echo "own=$(sh ${quote(tool)} own "$name")"` : ":";
  // A name that pgherd has not given is no fork's. Pipes and the like are not waited for.
  const look = `for fork in ${quote(folder)}/*/; do
  name=\${fork%/}
  name=\${name##*/}
  case $name in '' | *[!a-z0-9-]*) continue ;; esac
  [ ! -L "\${fork%/}" ] || continue
  echo "fork=$name"
  [ -f "$fork/record" ] || continue
  # What it does not tell is seen by that.
  sed -nE 's/^((${RECORDED})=[A-Za-z0-9._-]*)$/\\1/p' "$fork/record" || :
  reason=
  if [ -f "$fork/stopped" ]; then IFS= read -r reason <"$fork/stopped" || :; fi # a last line need not end
  printf 'reason=%s\\n' "$reason"
done`;
  return {
    script: `${asOwner("postgres", `${folder}/.`, look)} | while IFS= read -r line; do
  printf '%s\\n' "$line"
  case $line in
    fork=*) name=\${line#fork=} ;;
    reason=*)
      echo "unit=$(systemctl is-active "pgherd-fork-$name.service")"
      ${own}
      ;;
  esac
done`,
    parse: (output) =>
      output
        .split(/^fork=/m)
        .slice(1)
        .map((text) => parseFork(host, text)),
  };
}

/** The password of a fork's roles, which root alone may read there; empty where there is none. */
export function forkPasswordProbe(name: string): Probe<string> {
  const file = quote(forkPasswordFile(name));
  return {
    script: `[ ! -f ${file} ] || cat ${file}`,
    parse: (output) => output.trim(),
  };
}

/** TCP ports that something listens on. */
export const listeningProbe: Probe<number[]> = {
  // A kernel without IPv6 has no second file.
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
  // The host does not know either when to remove it, and how much it may take.
  const isWhole = RECORDED_FIGURES.every((key) => /^\d+$/.test(fields.get(key) ?? ""));
  const runs = fields.get("unit") === "active";
  return {
    name,
    host,
    port: number("port"),
    state: !complete ? "incomplete" : !isWhole ? "broken" : runs ? "running" : "stopped",
    reason:
      complete && !isWhole
        ? `its record does not tell what it is; remove it and make it anew: pgherd fork drop ${name}`
        : (fields.get("reason") ?? ""),
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
