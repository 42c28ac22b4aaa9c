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
  /** When it became active, in seconds since 1970; 0 if it is not. */
  readonly since: number;
  /** The last configuration that this run of the unit was told to load; empty where nothing was recorded. */
  readonly loaded: string;
}

/** Where it is recorded which configuration a unit has loaded: gone after a reboot, as the unit's run is. */
export function loadedRecord(unit: string): string {
  return `/run/pgherd/loaded/${unit}`;
}

/** One unit. */
export function unitProbe(unit: string): Probe<UnitState> {
  return {
    script:
      `systemctl show --timestamp=unix -p ActiveState,SubState,UnitFileState,InvocationID,ActiveEnterTimestamp ${quote(unit)}\n` +
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
      const [recordedFor, hash] = (fields.get("Loaded") ?? "").split(" ");
      return {
        active,
        sub: fields.get("SubState") ?? "",
        enabled: fields.get("UnitFileState") ?? "",
        invocation,
        since: Number(fields.get("ActiveEnterTimestamp")?.replace("@", "") || 0),
        loaded: invocation !== "" && recordedFor === invocation ? (hash ?? "") : "",
      };
    },
  };
}

/** Which of these units are masked. */
export function maskedProbe(units: readonly string[]): Probe<string[]> {
  return {
    script: `for unit in ${words(units)}; do [ "$(readlink /etc/systemd/system/$unit)" = /dev/null ] && echo $unit; done; :`,
    parse: (output) => output.split("\n").filter((line) => line !== ""),
  };
}
