import { setTimeout as sleep } from "node:timers/promises";
import { Command, Option } from "commander";
import pc from "picocolors";
import { UsageError } from "../errors";
import { unasked } from "../operations/ask";
import { readLog, type JournalLine, type JournalOptions } from "../cluster/logs";
import type { ClusterPlan } from "../plan/types";
import { ROLES } from "../roles/roles";
import { oneOf } from "../suggest";
import { incomplete, LOOK_EXIT_CODES } from "./ask";
import { printable } from "./table";
import { parseSince } from "./time";
import { openCluster, withStack, type OpenCluster, type StackOptions } from "./cluster";

interface LogsOptions extends StackOptions {
  readonly daemon?: string[];
  readonly lines: string;
  readonly since?: string;
  readonly follow?: boolean;
  readonly json?: boolean;
}

const FOLLOW_MS = 1000;

/** In the words of `--daemon`. */
const DAEMONS = ROLES.map(({ name }) => name);

/** `pgherd logs`: what the daemons on all hosts said, in the order in which they said it. */
export function logsCommand(): Command {
  return withStack(new Command("logs"))
    .description("Shows the logs of the cluster's daemons, of all hosts together, in order.")
    .argument("[host...]", "which hosts (default: all)")
    .addOption(
      new Option(
        "-d, --daemon <daemon...>",
        `of ${DAEMONS.join(", ")} (PostgreSQL's is with patroni's)`,
      ).choices(DAEMONS),
    )
    .option("-n, --lines <number>", "of each host, the latest ones", "50")
    .option(
      "--since <time>",
      "-10m, -2h, today, yesterday, 02:00, 2026-11-22, 2026-11-22T02:00 (in UTC)",
    )
    .option("-f, --follow", "go on with what comes, until Ctrl-C")
    .option("--json", "print a line of JSON for each")
    .addHelpText("after", LOGS_HELP)
    .action(async (names: string[], options: LogsOptions) => {
      const cluster = openCluster(options, "logs");
      try {
        await show(cluster, names, options);
      } finally {
        cluster.close();
      }
    });
}

async function show(cluster: OpenCluster, names: string[], options: LogsOptions): Promise<void> {
  if (!/^[1-9]\d*$/.test(options.lines)) {
    throw new UsageError(`--lines: expected a number such as 50, got "${options.lines}".`);
  }
  const since =
    options.since === undefined
      ? undefined
      : parseSince("--since", options.since, new Date()).getTime();
  const units = unitsByHost(cluster.plan, names, options.daemon ?? []);
  const range = { lines: Number(options.lines), since };
  const heard = new Listener(cluster, range);
  const print = () => {
    for (const line of heard.take())
      process.stdout.write(options.json ? `${asJson(line)}\n` : renderLine(line));
  };
  const all = Promise.all([...units].map(([host, daemons]) => heard.ask(host, daemons)));
  if (!options.follow) {
    await all;
    print();
    return incomplete(heard.silent());
  }
  // Each on its own: one that is away keeps the news of the others from nobody.
  for (const [host, daemons] of units) void all.then(() => heard.follow(host, daemons));
  for (;;) {
    await sleep(FOLLOW_MS);
    print();
  }
}

/** Hears what the daemons of several hosts have said. */
class Listener {
  private lines: JournalLine[] = [];
  private readonly cursors = new Map<string, string>();
  private readonly away = new Map<string, Error>();

  constructor(
    private readonly cluster: OpenCluster,
    private readonly range: Omit<JournalOptions, "after">,
  ) {}

  /** What has been heard since it was asked last, in order. */
  take(): JournalLine[] {
    const taken = this.lines.sort((a, b) => a.at - b.at);
    this.lines = [];
    return taken;
  }

  /** Why hosts could not be asked. */
  silent(): string[] {
    return unasked(Object.fromEntries(this.away));
  }

  async ask(host: string, daemons: readonly string[]): Promise<void> {
    try {
      const options = { ...this.range, after: this.cursors.get(host) };
      const { lines, cursor } = await readLog(this.cluster, host, daemons, options);
      if (cursor !== undefined) this.cursors.set(host, cursor);
      this.lines.push(...lines);
      this.away.delete(host);
    } catch (error) {
      this.away.set(host, error as Error);
    }
  }

  async follow(host: string, daemons: readonly string[]): Promise<never> {
    for (;;) {
      const before = this.away.has(host);
      await this.ask(host, daemons);
      const problem = this.away.get(host);
      if (problem && !before) incomplete(unasked({ [host]: problem }));
      await sleep(FOLLOW_MS);
    }
  }
}

/** The daemons that are wanted, by host. @throws UsageError if there is no such host or daemon. */
export function unitsByHost(
  { services: started, backup }: Pick<ClusterPlan, "services" | "backup">,
  hosts: readonly string[],
  daemons: readonly string[],
): Map<string, string[]> {
  const services: { readonly host: string; readonly daemon: string }[] = [
    ...started,
    ...(backup ? [{ host: backup.host, daemon: "barman" }] : []),
  ];
  const known = {
    host: services.map(({ host }) => host),
    daemon: services.map(({ daemon }) => daemon),
  };
  for (const [what, wanted] of [["host", hosts] as const, ["daemon", daemons] as const]) {
    const all = [...new Set<string>(known[what])];
    const wrong = wanted.find((one) => !all.includes(one));
    if (wrong !== undefined) {
      throw new UsageError(`${what}: expected ${oneOf(all, wrong)}`);
    }
  }
  const units = new Map<string, string[]>();
  for (const { host, daemon } of services) {
    if (hosts.length > 0 && !hosts.includes(host)) continue;
    if (daemons.length > 0 && !daemons.includes(daemon)) continue;
    units.set(host, [...new Set([...(units.get(host) ?? []), daemon])]);
  }
  return units;
}

/** As a program reads it: its time as everybody writes times, with its offset. Exported for its tests. */
export function asJson(line: JournalLine): string {
  return JSON.stringify({ ...line, at: new Date(line.at).toISOString() });
}

function renderLine({ at, host, unit, text }: JournalLine): string {
  const time = new Date(at).toISOString().slice(0, 23).replace("T", " ");
  return `${pc.dim(time)} ${pc.bold(host)} ${pc.cyan(unit)} ${printable(text)}\n`;
}

const LOGS_HELP = `
PostgreSQL's own log is part of patroni's, which starts it. Times are UTC.
${LOOK_EXIT_CODES}

Examples:
  pgherd logs
  pgherd logs db1 db2 -d patroni -f
  pgherd logs --since -10m -n 1000`;
