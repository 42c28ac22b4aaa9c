import { randomBytes } from "node:crypto";
import { Command, InvalidArgumentError } from "commander";
import pc from "picocolors";
import { parseSettings } from "../config/parse";
import type { Settings } from "../config/schema";
import { ConfigError, UsageError } from "../errors";
import { forkPasswordProbe, listeningProbe, type Fork } from "../facts/forks";
import type { Host } from "../host/host";
import { demandAll, unasked } from "../operations/ask";
import { dropFork, ensureFork, observeForks, refuseBroken } from "../operations/forks";
import { forkUri } from "../plan/connection";
import { forksFolder, KEEPER, planForks } from "../plan/forks";
import { planPatroni } from "../plan/patroni";
import { EXIT_CODES, incomplete, LOOK_EXIT_CODES } from "./ask";
import { clientOf, likelyClient, runPsql } from "./client";
import { openSettings, withStack, type StackOptions } from "./cluster";
import { renderCreated, renderForks, time } from "./fork-view";
import { rawStack, readStack } from "./stack";

interface CreateOptions extends StackOptions {
  readonly from: string;
  readonly at: string;
  readonly port?: number;
  readonly memory: string;
  readonly disk: string;
  readonly ttl: string;
  readonly json?: boolean;
}

/** `pgherd fork …`: writable copies of the database, in seconds whatever its size. */
export function forkCommand(): Command {
  const fork = new Command("fork")
    .description("Makes writable copies of the database in seconds, whatever its size.")
    .addHelpText("after", FORK_HELP);
  addCreate(fork);
  addList(fork);
  addDrop(fork);
  addPassword(fork);
  addPsql(fork);
  return fork;
}

function addCreate(fork: Command): void {
  verb(fork, "create", "Make a fork: a copy of now, which lives on its own from then on.")
    .argument("<name>", "its name, e.g. try-migration")
    .option("--from <member>", "`replica` for any one, or a member", "replica")
    .option("--at <time>", "only `now`; an earlier time is restored from a backup", "now")
    .option("--port <number>", "where it listens (default: the first free one from 5433)", portOf)
    .option("--memory <size>", "what it may use", "512MB")
    .option("--disk <size>", "what it may take for itself", "10GB")
    .option("--ttl <time>", "when its host removes it: 8h, 3d, or `never`", "24h")
    .option("--json", "print JSON")
    .addHelpText("after", EXIT_CODES)
    .action(create);
}

function addList(fork: Command): void {
  verb(fork, "list", "Show all forks, and how much of the disk each has taken for itself.")
    .option("--json", "print JSON")
    .addHelpText("after", LOOK_EXIT_CODES)
    .action(async ({ stack, configFile, json }: StackOptions & { json?: boolean }) => {
      const settings = readStack(stack, configFile);
      await withHosts(settings, async (host) => {
        const folder = forksFolder(settings);
        const { forks, silent } = await observeForks(members(settings), folder, host, KEEPER);
        process.stdout.write(
          json ? `${JSON.stringify(forks, null, 2)}\n` : renderForks(forks, Date.now() / 1000),
        );
        incomplete(unasked(silent));
      });
    });
}

function addDrop(fork: Command): void {
  verb(fork, "drop", "Remove a fork and all that was written on it.")
    .argument("<name>")
    .addHelpText("after", EXIT_CODES)
    .action(async (name: string, { stack, configFile }: StackOptions) => {
      const settings = readStack(stack, configFile);
      if (settings.cluster.forks.some((declared) => declared.name === name)) {
        throw new UsageError(
          `fork ${name}: it is declared in stack "${stack}", which would make it again.`,
          "Remove it from pgherd:cluster.forks and run pulumi up.",
        );
      }
      await withHosts(settings, async (host) => {
        const on = await dropFork(placeOf(settings, name), name, host);
        process.stdout.write(
          on.length > 0 ? `${name}: removed from ${on.join(", ")}\n` : `${name}: no such fork\n`,
        );
      });
    });
}

function addPassword(fork: Command): void {
  verb(fork, "password", "Print the password of the fork's users.")
    .argument("<name>")
    .action(async (name: string, { stack, configFile }: StackOptions) => {
      const settings = readStack(stack, configFile);
      const { password } = await findFork(settings, name);
      process.stdout.write(`${password}\n`);
    });
}

function addPsql(fork: Command): void {
  verb(fork, "psql", "Open psql on a fork.")
    .argument("<name>")
    .argument("[argument...]", "psql's own: -c 'select 1', -f FILE; after -- what both know")
    .allowUnknownOption()
    .option("-U, --user <user>", "who to connect as (default: the owner of the database)")
    .option(
      "-d, --database <database>",
      "where to connect to (default: the stack's first database)",
    )
    .action(
      async (
        name: string,
        words: string[],
        options: StackOptions & { user?: string; database?: string },
      ) => {
        const settings = readStack(options.stack, options.configFile);
        const { uri, password } = await findFork(settings, name);
        runPsql(uri, clientOf(settings, options), password, words);
      },
    );
}

function verb(parent: Command, name: string, description: string): Command {
  return withStack(parent.command(name)).description(description);
}

async function create(name: string, options: CreateOptions): Promise<void> {
  if (options.at !== "now") {
    throw new UsageError(
      `--at: expected "now", got "${options.at}": a fork shares the blocks that a replica has now.`,
      "An earlier state is restored from a backup.",
    );
  }
  const start = Date.now();
  const declared = readStack(options.stack, options.configFile);
  // What was said is looked at before a host is.
  withFork(options, { name, port: options.port ?? unusedPort(declared) });
  await withHosts(declared, async (host) => {
    const { forks, silent } = await observeForks(members(declared), forksFolder(declared), host);
    const twin = forks.find((one) => one.name === name && one.state !== "incomplete");
    if (twin) {
      throw new UsageError(
        `fork ${name}: there is one already, on ${twin.host} since ${time(twin.begun)}.`,
        `Take another name, or remove that one first: pgherd fork drop ${name}`,
      );
    }
    demandAll(
      silent,
      (names) => `fork ${name}: ${names} cannot be reached, and may have one of this name`,
    );
    const port = options.port ?? (await freePort(declared, forks, host));
    const settings = withFork(options, { name, port });
    const plan = planForks(settings).find((one) => one.name === name);
    if (!plan) throw new Error(`no plan for fork ${name}`);
    const password = randomBytes(24).toString("base64url");
    const inputs = { cluster: settings.cluster.name, ...plan, password };
    const { fork } = await ensureFork(inputs, host, (what) =>
      process.stderr.write(`${pc.dim("fork:")} ${what}\n`),
    );
    const uri = forkUri(settings, fork.host, port);
    const seconds = (Date.now() - start) / 1000;
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ ...fork, uri, seconds }, null, 2)}\n`
        : renderCreated(fork, uri, seconds, likelyClient(settings)),
    );
  });
}

/** The stack's settings as if the fork stood among them, so that it is checked by the same rules. */
function withFork(
  options: CreateOptions,
  { name, port }: { name: string; port: number },
): Settings {
  const raw = rawStack(options.stack, options.configFile);
  const before = (raw.cluster as { forks?: unknown[] }).forks ?? [];
  const { from, memory, disk } = options;
  const ttl = options.ttl === "never" ? {} : { ttl: options.ttl };
  const forks = [...before, { name, from, port, memory, disk, ...ttl }];
  try {
    return parseSettings({ ...raw, cluster: { ...(raw.cluster as object), forks } });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // What the command line said is told in its words.
    const said = `pgherd:cluster.forks[${before.length}].`;
    throw new UsageError(
      error.problems.map((problem) => problem.replaceAll(said, "--")).join("\n"),
    );
  }
}

const FIRST_PORT = 5433;

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new InvalidArgumentError("Expected a port from 1 to 65535.");
}

/** A port that the stack does not name. */
function unusedPort({ cluster }: Settings): number {
  const named = JSON.stringify(cluster);
  let port = FIRST_PORT;
  while (named.includes(String(port))) port += 1;
  return port;
}

/** A port that nobody uses on any member, nor a fork that is stopped or declared. */
async function freePort(
  { cluster }: Settings,
  forks: readonly Fork[],
  host: (name: string) => Host,
): Promise<number> {
  const listening = await Promise.all(
    cluster.members.map((member) => host(member.host).observe(listeningProbe)),
  );
  const taken = new Set([
    ...listening.flat(),
    ...forks.map((fork) => fork.port),
    ...cluster.forks.map((fork) => fork.port),
    cluster.postgresql.port,
  ]);
  let port = FIRST_PORT;
  while (taken.has(port)) port += 1;
  return port;
}

async function findFork(
  settings: Settings,
  name: string,
): Promise<{ readonly uri: string; readonly password: string }> {
  return withHosts(settings, async (host) => {
    const { forks, silent } = await observeForks(members(settings), forksFolder(settings), host);
    const found = forks.find((one) => one.name === name && one.state !== "incomplete");
    if (!found) {
      demandAll(
        silent,
        (names) => `fork ${name}: not found where it was looked for; ${names} cannot be reached`,
      );
      throw new UsageError(
        `fork ${name}: there is no such fork; there ${forks.length === 1 ? "is" : "are"} ${forks.map((one) => one.name).join(", ") || "none"}.`,
        `Make it: pgherd fork create ${name}`,
      );
    }
    refuseBroken(found);
    const password = await host(found.host).observe(forkPasswordProbe(name));
    return { uri: forkUri(settings, found.host, found.port), password };
  });
}

function placeOf(settings: Settings, name: string) {
  return {
    members: planPatroni(settings).members,
    folder: `${forksFolder(settings)}/${name}`,
    keeper: KEEPER,
  };
}

function members({ cluster }: Settings): string[] {
  return cluster.members.map(({ host }) => host);
}

async function withHosts<T>(
  settings: Settings,
  work: (host: (name: string) => Host) => Promise<T>,
): Promise<T> {
  const { host, close } = openSettings(settings, "fork", () => undefined);
  try {
    return await work(host);
  } finally {
    close();
  }
}

const FORK_HELP = `
A fork shares all blocks with the replica beside which it lies, until one of the
two writes to them: making it copies nothing and takes as long for 10 GB as for
10 MB. It needs btrfs or xfs under the data directory. It has a port, a
password, memory and disk limits and an end of its own, archives nothing, and
never joins the cluster.

Examples:
  pgherd fork create try-migration
  pgherd fork psql try-migration -f migration.sql
  pgherd fork create nightly --from db3 --memory 2GB --ttl 3d
  pgherd fork list
  pgherd fork drop try-migration`;
