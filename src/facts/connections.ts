import type { Probe } from "../host/host";
import { quote } from "../host/shell";

/**
 * Whom the main program of a unit is connected to: `["10.89.0.11:2379"]`; nothing where it does not run.
 * @throws CommandError where the host has no `ss`, which is in Debian's package iproute2
 */
export function connectionsProbe(unit: string): Probe<string[] | undefined> {
  return {
    script: `pid=$(systemctl show -p MainPID --value -- ${quote(unit)})
if [ "\${pid:-0}" -eq 0 ]; then echo none; exit; fi
all=$(ss -Htnp state established) || exit
# It may be connected to nobody.
printf '%s\\n' "$all" | grep -F "pid=$pid," || :`,
    parse(output) {
      if (output.trim() === "none") return undefined;
      // What waits to be read and to be sent, both ends, and whose it is (ss(8)).
      return output.split("\n").flatMap((line) => line.trim().split(/\s+/)[3] ?? []);
    },
  };
}
