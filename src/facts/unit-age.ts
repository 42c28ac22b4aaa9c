import type { Probe } from "../host/host";
import { quote } from "../host/shell";

/** Seconds since a unit's program has begun to run; nothing where it does not run. */
export function unitAgeProbe(unit: string): Probe<number | undefined> {
  return {
    // What the unit does before its program runs is no part of it. Microseconds, and seconds, since the host has started.
    script: `systemctl show -p ActiveState -p ExecMainStartTimestampMonotonic -- ${quote(unit)}
cut -d ' ' -f 1 /proc/uptime`,
    parse(output) {
      const began = /^ExecMainStartTimestampMonotonic=([1-9]\d*)$/m.exec(output)?.[1];
      const now = /^(\d+(?:\.\d+)?)$/m.exec(output)?.[1];
      if (!/^ActiveState=active$/m.test(output) || began === undefined || now === undefined)
        return undefined;
      return Number(now) - Number(began) / 1e6;
    },
  };
}
