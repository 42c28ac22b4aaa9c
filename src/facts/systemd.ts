import { FactError } from "../errors";
import type { Probe } from "../host/host";
import { quote, words } from "../host/shell";

/** A unit as systemd knows it. */
export interface UnitState {
  /** `active`, `inactive`, `failed`, `activating`… (systemd(1), "UNITS"). */
  readonly active: string;
  /** e.g. `running`, `auto-restart`, `dead`. */
  readonly sub: string;
  /** `enabled`, `disabled`, `masked`… or empty where there is no such unit. */
  readonly enabled: string;
  /** Differs for every start of the unit; empty before the first. */
  readonly invocation: string;
  /** When it was last started or reloaded, in seconds since 1970; 0 if it is not active. */
  readonly since: number;
  /**
   * The configuration that we last told this run of the unit to load; empty where nothing was recorded, or somebody has
   * reloaded it since.
   */
  readonly loaded: string;
}

/**
 * Where it is recorded which configuration a unit has loaded, with the run and its last change of state: gone after a
 * reboot, as the unit's run is.
 */
export function loadedRecord(unit: string): string {
  return `/run/pgherd/loaded/${unit}`;
}

/** Whether systemd has such a unit, running or not. */
export function knowsUnitProbe(unit: string): Probe<boolean> {
  return {
    script: `[ "$(systemctl show -p LoadState --value ${quote(unit)})" != not-found ] || echo absent`,
    parse: (output) => output.trim() !== "absent",
  };
}

/** One unit. */
export function unitProbe(unit: string): Probe<UnitState> {
  return {
    script:
      `systemctl show --timestamp=unix -p ActiveState,SubState,UnitFileState,InvocationID,ActiveEnterTimestamp,StateChangeTimestamp,StateChangeTimestampMonotonic ${quote(unit)}\n` +
      // There is none before the first start, and after one of the host: then nothing counts as loaded.
      `printf 'Loaded='; cat ${quote(loadedRecord(unit))} 2>/dev/null || :`,
    parse(output) {
      const fields = new Map(
        output.split("\n").map((line): [string, string] => {
          const at = line.indexOf("=");
          return [line.slice(0, at), line.slice(at + 1)];
        }),
      );
      const active = fields.get("ActiveState");
      if (!active) throw new FactError(`expected systemd to know ${unit}, got "${output.trim()}".`);
      const invocation = fields.get("InvocationID") ?? "";
      const [recordedFor, hash, recordedAt] = (fields.get("Loaded") ?? "").split(" ");
      const recorded =
        invocation !== "" &&
        recordedFor === invocation &&
        recordedAt === fields.get("StateChangeTimestampMonotonic");
      return {
        active,
        sub: fields.get("SubState") ?? "",
        enabled: fields.get("UnitFileState") ?? "",
        invocation,
        // A reload is a change of state, and none of being active.
        since: fields.get("ActiveEnterTimestamp")
          ? Number(fields.get("StateChangeTimestamp")?.replace("@", "") || 0)
          : 0,
        loaded: recorded ? (hash ?? "") : "",
      };
    },
  };
}

/**
 * A command that prints the service that a process belongs to, nothing for none. Below another service whoever runs that
 * one chooses the names: a user's own manager is such a service.
 * @param process below /proc, for the shell
 */
export function serviceOf(process: string): string {
  return `sed -n '/\\.service\\//d; s,^\\(0::\\|[0-9]*:name=systemd:\\).*/\\([^/]*\\.service\\)$,\\2,p' "${process}/cgroup" | head -n 1`;
}

/** Which of these units are masked. */
export function maskedProbe(units: readonly string[]): Probe<string[]> {
  return {
    script: `for unit in ${words(units)}; do [ "$(readlink /etc/systemd/system/$unit)" = /dev/null ] && echo $unit; done; :`,
    parse: (output) => output.split("\n").filter((line) => line !== ""),
  };
}
