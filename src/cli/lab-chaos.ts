import { replicationMode } from "../config/replication-modes";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Command } from "commander";
import pc from "picocolors";
import { kindOfDcs, votersOf } from "../roles/dcs";
import { roleNamed } from "../roles/roles";
import { PgherdError } from "../errors";
import { check } from "../lab/chaos/checker";
import { load, type LoadPlan } from "../lab/chaos/load";
import { failures, renderReport, summary, type Reported } from "../lab/chaos/report";
import { playChaos, type ChaosTarget } from "../lab/chaos/run";
import { schedule } from "../lab/chaos/schedule";
import { labExec } from "../lab/exec";
import { rerunAsRoot } from "../lab/rights";
import { DEFAULT_NAME } from "../lab/state";
import { projectRoot } from "./project";
import { planCluster } from "../plan/plan";
import { parseOutputs } from "./outputs";
import { readStack } from "./stack";

interface ChaosOptions {
  readonly name: string;
  readonly stack: string;
  readonly configFile?: string;
  readonly seed: number;
  readonly minutes: number;
  readonly report: string;
  readonly json?: string;
}

/** `pgherd lab chaos`: faults in turn, under load, with a checker that counts every row. */
export function labChaosCommand(): Command {
  return new Command("chaos")
    .description("Breaks a deployed cluster again and again under load, and counts every row.")
    .option("--name <lab>", "which lab", process.env["PGHERD_LAB"] ?? DEFAULT_NAME)
    .option("-s, --stack <stack>", "the stack that is deployed there", "lab")
    .option("--config-file <file>", "the stack's settings, where they are not in stacks/")
    .option("--seed <number>", "the same seed plays the same faults", Number, 1)
    .option("--minutes <number>", "how long", Number, 5)
    .option("--report <file>", "where the report goes", "chaos.html")
    .option("--json <file>", "write the verdict there too")
    .addHelpText("after", CHAOS_HELP)
    .action(async (options: ChaosOptions) => {
      const code = await rerunAsRoot();
      if (code !== undefined) process.exitCode = code;
      else await chaos(options);
    });
}

/** `pgherd lab chaos-load`: the clients of a run, in the lab's network. What to do comes by standard input. */
export function chaosLoadCommand(): Command {
  return new Command("chaos-load").action(async () => {
    const stop = new AbortController();
    const lines = createInterface({ input: process.stdin });
    const plan = new Promise<LoadPlan>((resolve) =>
      lines.once("line", (line) => resolve(JSON.parse(line) as LoadPlan)),
    );
    lines.once("close", () => stop.abort());
    const tell = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);
    await load(await plan, tell, stop.signal);
    // A connection to a host that is gone would keep this process for minutes.
    process.stdout.write("", () => process.exit(0));
  });
}

async function chaos(options: ChaosOptions): Promise<void> {
  const { seed, minutes, report, json } = options;
  const settings = readStack(options.stack, options.configFile);
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  const start = Date.now();
  const say = (text: string) =>
    process.stderr.write(
      `${pc.dim(`${((Date.now() - start) / 1000).toFixed(0).padStart(4)} s`)} ${text}\n`,
    );
  const target = await targetOf(options);
  const run = await playChaos(target, schedule(seed, minutes), say, stop.signal);
  const reported: Reported = {
    title: `Chaos on ${settings.cluster.name}, ${settings.cluster.replication.mode}, seed ${seed}`,
    seed,
    ...run,
    verdict: check(run.history),
    promised: { durable: replicationMode(settings.cluster).waits },
  };
  writeFileSync(report, renderReport(reported));
  if (json !== undefined)
    writeFileSync(json, `${JSON.stringify({ seed, verdict: reported.verdict }, null, 2)}\n`);
  const found = failures(reported);
  process.stdout.write(`\n${summary(reported).join("\n")}\n\nReport: ${report}\n`);
  for (const one of found) process.stdout.write(pc.red(`${one}\n`));
  if (found.length > 0) process.exitCode = 2;
}

/** What a run needs to know of the cluster, from its settings and what it has handed out. */
async function targetOf({ name, stack, configFile }: ChaosOptions): Promise<ChaosTarget> {
  const settings = readStack(stack, configFile);
  const { patroni, entryPoint } = planCluster(settings);
  const argv = ["pulumi", "-C", projectRoot(), "stack", "output", "--json", "--show-secrets"];
  const outputs = parseOutputs(stack, await labExec(name, [...argv, "--stack", stack]));
  const { dcs, postgresql } = settings.cluster;
  const [user] = postgresql.users;
  const [database] = postgresql.databases;
  if (!user || !database)
    throw new PgherdError(
      `stack "${stack}": expected a user and a database to write with, found none.`,
      "Add both to pgherd:cluster.postgresql.",
    );
  return {
    lab: name,
    members: Object.keys(patroni.members),
    port: patroni.port,
    balancers: entryPoint?.hosts ?? [],
    vips: entryPoint?.vips ?? [],
    dcs: {
      hosts: votersOf(settings.cluster),
      ports: roleNamed(kindOfDcs(dcs.kind).role).ports.flatMap(
        ({ number }) => number(settings.cluster) ?? [],
      ),
    },
    client: {
      uri: outputs.connection.primary ?? "",
      user: user.name,
      password: outputs.passwords[user.name] ?? "",
      database: database.name,
    },
  };
}

const CHAOS_HELP = `
Exit code: 0 if everything that the replication mode promises was kept, 2 if
not, 1 if that could not be found out.

What counts: rows that were acknowledged and are lost, that are there and cannot
be, that are there twice or out of order, that differ between members, that a
reader had seen and are gone; two primaries; and how long nobody could write.

Examples:
  pgherd lab chaos --seed 7 --minutes 10
  pgherd lab chaos --config-file strict.yaml --report strict.html`;
