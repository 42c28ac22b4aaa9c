import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import type { Fault, Victim } from "./fault";
import { inNetwork, isolationRules, removeRules, tableName, tableOf } from "./network";

interface Flapping {
  readonly hosts: readonly string[];
  /** Seconds for which the link is down, and then up again. @default 5 */
  readonly period?: number;
}

/** A link that comes and goes, as with a bad cable: neither up nor down long enough to be sure. */
export const flap: Fault<Flapping> = {
  describe: ({ hosts, period = PERIOD }) =>
    `link of ${hosts.join(", ")} down and up again every ${period} s`,
  hosts: ({ hosts }) => hosts,
  async inflict(victim, { hosts, period = PERIOD }) {
    fs.writeFileSync(markOf(victim), "");
    const command = [...inNetwork(victim.paths), "sh", "-c", LOOP, "pgherd-flap"];
    const args = [markOf(victim), tableName(victim.id), String(period)];
    const [program = "", ...rest] = [
      ...command,
      ...args,
      tableOf(victim.id, isolationRules(hosts)),
    ];
    spawn(program, rest, { cwd: "/", detached: true, stdio: "ignore" }).unref();
  },
  async heal(victim) {
    fs.rmSync(markOf(victim), { force: true });
    await removeRules(victim);
  },
};

const PERIOD = 5;

/** There as long as the link is to flap. */
function markOf({ paths, id }: Victim): string {
  return path.join(paths.dir, "faults", `${id}.flaps`);
}

const LOOP = `
mark=$1 table=$2 period=$3 rules=$4
while [ -e "$mark" ]; do
  printf '%s' "$rules" | nft -f - || exit 1
  # Healed in between: its rules were taken away before these came.
  if [ ! -e "$mark" ]; then nft delete table bridge "$table"; exit; fi
  sleep "$period"
  nft delete table bridge "$table" 2>/dev/null
  sleep "$period"
done
`;
