import pc from "picocolors";
import { plainTable } from "../src/cli/table";
import { CONTENDERS } from "./contenders";
import {
  medianOf,
  PARTS,
  verdicts,
  type Measurement,
  type Part,
  type Results,
  type Runner,
} from "./results";
import { SIZES, type Size } from "./sizes";

/** What each part is, in a few words. */
export const TITLES: { readonly [part in Part]: string } = {
  fresh: "fresh deployment",
  "no-op": "nothing to change",
  "dry-run": "dry run",
  change: "one timeout",
};

/** Whom pgherd is compared with. */
const PEERS = CONTENDERS.filter((name) => name !== "pgherd");

/** All medians with their ratios to pgherd's, and the goals, on 80 columns. */
export function renderResults(results: Results): string {
  const table = plainTable(["Seconds", "Hosts", ...CONTENDERS, "Floor"]);
  for (const part of PARTS)
    for (const size of SIZES.filter((one) => results.measurements.some(of(part, one)))) {
      const time = (runner: Runner) => medianOf(results, part, size, runner);
      const own = time("pgherd");
      const peers = PEERS.map((peer) => cell(time(peer), own));
      table.push([TITLES[part], size, cell(own), ...peers, cell(time("floor"))]);
    }
  const goals = plainTable(["Wanted", "Measured", ""]);
  for (const { goal, measured, reached } of verdicts(results))
    goals.push([goal, measured, reached ? pc.green("reached") : pc.red("missed")]);
  return `${table.toString()}\n\n${goals.toString()}\n`;
}

/** One line for each measurement as it comes: `nothing to change, 5 hosts, Ansible: 36.1 36.5 37.0 s`. */
export function renderMeasurement({ part, size, runner, seconds }: Measurement): string {
  return `${TITLES[part]}, ${size} hosts, ${runner}: ${seconds.map((one) => one.toFixed(2)).join(" ")} s`;
}

function of(part: Part, size: Size) {
  return (one: Measurement) => one.part === part && one.size === size;
}

/** Seconds, and how many times pgherd's they are: `36.5 17×`. */
function cell(seconds: number | undefined, own?: number): string {
  if (seconds === undefined) return "";
  const shown = digits(seconds, 2);
  return own === undefined ? shown : `${shown} ${digits(seconds / own, 1)}×`;
}

/** A number with fewer decimals where it is large. */
function digits(number: number, decimals: number): string {
  return number.toFixed(number < 10 ? decimals : decimals - 1);
}
