import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import pc from "picocolors";
import { UsageError } from "../errors";
import { drawProbe, strip } from "../probe/picture";
import { now, Probe } from "../probe/probe";
import { duration, type Kind, type ProbeReport } from "../probe/report";
import { withStack, type StackOptions } from "./cluster";
import { probeTarget, tellInterruption } from "./measure";
import { readStack } from "./stack";
import { plainTable } from "./table";
import { parseSpan } from "./time";

interface ProbeCommandOptions extends StackOptions {
  readonly for?: string;
  readonly rate: string;
  readonly user?: string;
  readonly database?: string;
  readonly picture?: string;
  readonly json?: boolean;
}

/** `pgherd probe`: what an application would notice. */
export function probeCommand(): Command {
  return withStack(new Command("probe"))
    .description("Writes and reads through the entry point, and tells every interruption.")
    .option("--for <time>", "how long, e.g. 90s, 10m (default: until Ctrl-C)")
    .option("--rate <number>", "writes, and as many reads, each second", "20")
    .option("-U, --user <user>", "who to connect as (default: the owner of the database)")
    .option(
      "-d, --database <database>",
      "where to connect to (default: the stack's first database)",
    )
    .option("--picture <file>", "draw the report into this file (SVG)")
    .option("--json", "print the report as JSON")
    .addHelpText("after", PROBE_HELP)
    .action(async (options: ProbeCommandOptions) => {
      const perSecond = Number(options.rate);
      if (!(perSecond >= 1 && perSecond <= 1000)) {
        throw new UsageError(`--rate: expected a number from 1 to 1000, got "${options.rate}".`);
      }
      const until = options.for === undefined ? Infinity : parseSpan("--for", options.for);
      const settings = readStack(options.stack, options.configFile);
      const probe = new Probe(probeTarget(options.stack, settings, options), { perSecond }).start();
      await goOn(probe, until, options.json ?? false);
      const report = probe.tally.report(now());
      await probe.stop();
      if (options.picture !== undefined) writeFileSync(options.picture, drawProbe(report));
      process.stdout.write(
        options.json
          ? `${JSON.stringify(report, null, 2)}\n`
          : renderProbe(report, options.picture),
      );
      if (report.writes.succeeded === 0) process.exitCode = 1;
      else if (report.interruptions.length > 0) process.exitCode = 2;
    });
}

/** Until the time is over or somebody presses Ctrl-C; says each second how it goes. */
async function goOn(probe: Probe, ms: number, quiet: boolean): Promise<void> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  const end = now() + ms;
  let told = 0;
  while (!stop.signal.aborted && now() < end) {
    await sleep(Math.min(1000, end - now()), undefined, { signal: stop.signal }).catch(() => {});
    if (quiet) continue;
    const report = probe.tally.report(now());
    for (const one of report.interruptions.slice(told).filter(({ to }) => to !== undefined)) {
      told += 1;
      process.stderr.write(`${pc.red(one.kind)}: no success for ${tellInterruption(one)}\n`);
    }
    const last = report.seconds.at(-2);
    if (process.stderr.isTTY && last) {
      process.stderr.write(`\r\u001b[K${pc.dim(`${last.writes} writes/s, ${last.reads} reads/s`)}`);
    }
  }
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
}

const COLUMNS = 72;

/** The report as a person reads it, on 80 columns. */
function renderProbe(report: ProbeReport, picture?: string): string {
  const table = plainTable(["", "Succeeded", "Failed", "p50", "p95", "p99", "Slowest"]);
  for (const [name, kind] of KINDS) {
    const { succeeded, failed, latencyMs: latency } = report[kind];
    const ms = [latency?.p50, latency?.p95, latency?.p99, latency?.max];
    table.push([
      name,
      succeeded,
      failed,
      ...ms.map((value) => (value === undefined ? "" : `${value} ms`)),
    ]);
  }
  const lasted = Date.parse(report.until) - Date.parse(report.since);
  const lines = [
    `From ${report.since.slice(11, 19)} to ${report.until.slice(11, 19)} UTC, ${duration(lasted)}`,
    "",
    table.toString(),
    "",
    ...KINDS.map(([name, kind]) => `${name.padEnd(7)} ${coloured(strip(report, kind, COLUMNS))}`),
    "",
    ...interruptionLines(report),
  ];
  if (picture !== undefined) lines.push("", `Drawn in ${picture}`);
  return `${lines.join("\n")}\n`;
}

const KINDS: readonly (readonly [string, Kind])[] = [
  ["Writes", "writes"],
  ["Reads", "reads"],
];

function interruptionLines({ interruptions }: ProbeReport): string[] {
  if (interruptions.length === 0) return [pc.green("No interruption.")];
  return interruptions.map((one) => {
    const error = one.error === undefined ? "" : `\n        ${one.error.slice(0, COLUMNS)}`;
    return `${one.kind.padEnd(7)} ${pc.red(tellInterruption(one))}${error}`;
  });
}

function coloured(blocks: string): string {
  return blocks.replace(/×+/g, (away) => pc.red(away)).replace(/[▁-█]+/g, (ok) => pc.green(ok));
}

const PROBE_HELP = `
A write is a commit that waits for the disk and for synchronous replicas as
every other one does; it needs no table (a message in the WAL, which nobody
reads). An interruption is the time from the last success to the next one, if
something failed in between or a second has passed. Writes and reads each keep
one connection, as an application does, and connect again when it breaks.

Exit codes:
  0  no interruption
  1  nothing could be written at all, or the probe could not begin
  2  there were interruptions

Examples:
  pgherd probe
  pgherd probe --for 10m --picture probe.svg
  pgherd probe --for 60s --json | jq .interruptions`;
