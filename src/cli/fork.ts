import { Command, InvalidArgumentError } from "commander";
import pc from "picocolors";
import {
  createFork,
  FORK_DEFAULTS,
  listForks,
  openFork,
  removeFork,
  type ForkableCluster,
  type ForkRequest,
} from "../cluster/forks";
import { UsageError } from "../errors";
import { EXIT_CODES, incomplete, LOOK_EXIT_CODES } from "./ask";
import { clientOf, likelyClient, runPsql } from "./client";
import { openSettings, withStack, type OpenCluster, type StackOptions } from "./cluster";
import { forkRules } from "./fork-rules";
import { renderCreated, renderForks } from "./fork-view";
import { rawStack, readStack } from "./stack";

interface CreateOptions extends StackOptions, Omit<ForkRequest, "name"> {
  readonly at: string;
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
    .option("--from <member>", "`replica` for any one, or a member", FORK_DEFAULTS.from)
    .option("--at <time>", "only `now`; an earlier time is restored from a backup", "now")
    .option("--port <number>", "where it listens (default: the first free one from 5433)", portOf)
    .option("--memory <size>", "what it may use", FORK_DEFAULTS.memory)
    .option("--disk <size>", "what it may take for itself", FORK_DEFAULTS.disk)
    .option("--ttl <time>", "when its host removes it: 8h, 3d, or `never`", FORK_DEFAULTS.ttl)
    .option("--json", "print JSON")
    .addHelpText("after", EXIT_CODES)
    .action(create);
}

function addList(fork: Command): void {
  verb(fork, "list", "Show all forks, and how much of the disk each has taken for itself.")
    .option("--json", "print JSON")
    .addHelpText("after", LOOK_EXIT_CODES)
    .action(async ({ json, ...options }: StackOptions & { json?: boolean }) => {
      await withForks(options, async (cluster) => {
        const { forks, missing } = await listForks(cluster);
        process.stdout.write(
          json ? `${JSON.stringify(forks, null, 2)}\n` : renderForks(forks, Date.now() / 1000),
        );
        incomplete(missing);
      });
    });
}

function addDrop(fork: Command): void {
  verb(fork, "drop", "Remove a fork and all that was written on it.")
    .argument("<name>")
    .addHelpText("after", EXIT_CODES)
    .action(async (name: string, options: StackOptions) => {
      const on = await withForks(options, (cluster) => removeFork(cluster, name));
      process.stdout.write(
        on.length > 0 ? `${name}: removed from ${on.join(", ")}\n` : `${name}: no such fork\n`,
      );
    });
}

function addPassword(fork: Command): void {
  verb(fork, "password", "Print the password of the fork's users.")
    .argument("<name>")
    .action(async (name: string, options: StackOptions) => {
      const { password } = await withForks(options, (cluster) => openFork(cluster, name));
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
        const { uri, password, settings } = await withForks(options, async (cluster) => ({
          ...(await openFork(cluster, name)),
          settings: cluster.settings,
        }));
        runPsql(uri, clientOf(settings, options), password, words);
      },
    );
}

function verb(parent: Command, name: string, description: string): Command {
  return withStack(parent.command(name)).description(description);
}

async function create(
  name: string,
  { at, json, stack, configFile, ...wished }: CreateOptions,
): Promise<void> {
  if (at !== "now") {
    throw new UsageError(
      `--at: expected "now", got "${at}": a fork shares the blocks that a replica has now.`,
      "An earlier state is restored from a backup.",
    );
  }
  const say = (what: string) => process.stderr.write(`${pc.dim("fork:")} ${what}\n`);
  await withForks(
    { stack, configFile },
    async (cluster) => {
      const { uri, seconds, ...fork } = await createFork(cluster, { name, ...wished });
      process.stdout.write(
        json
          ? `${JSON.stringify({ ...fork, uri, seconds }, null, 2)}\n`
          : renderCreated(fork, uri, seconds, likelyClient(cluster.settings)),
      );
    },
    say,
  );
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new InvalidArgumentError("Expected a port from 1 to 65535.");
}

async function withForks<T>(
  { stack, configFile }: StackOptions,
  work: (cluster: OpenCluster & ForkableCluster) => Promise<T>,
  progress: (message: string) => void = () => undefined,
): Promise<T> {
  const settings = readStack(stack, configFile);
  const opened = openSettings(settings, "fork", progress);
  try {
    return await work({
      ...opened,
      forks: forkRules(stack, settings, rawStack(stack, configFile)),
    });
  } finally {
    opened.close();
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
