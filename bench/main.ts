import { writeFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import pc from "picocolors";
import { down } from "../src/lab/down";
import { rerunAsRoot } from "../src/lab/rights";
import { benchmark } from "./benchmark";
import { CONTENDERS, type ContenderName } from "./contenders";
import { measureForks, renderForks } from "./fork";
import { measureMigration, renderMigrations } from "./migration";
import { measureRecovery, renderRecovery } from "./recovery";
import { renderResults } from "./report";
import { measureRestore, renderRestore } from "./restore";
import { PARTS, type Part } from "./results";
import { LAB, SIZES, type Size } from "./sizes";

/** Parts of pgherd alone, each on hosts of its own. */
const ALONE = ["recovery", "migration", "restore", "forks"] as const;

interface Options {
  readonly only?: (Part | (typeof ALONE)[number])[];
  readonly hosts?: Size[];
  readonly with?: ContenderName[];
  readonly rounds: number;
  readonly freshRounds: number;
  readonly runs: number;
  readonly megabytes: number;
  readonly json?: string;
  readonly keep?: boolean;
}

const program = new Command("npm run bench --")
  .description(
    "Compares pgherd with Ansible, Ansible with Mitogen, and pyinfra, on the same hosts of a lab.",
  )
  .addOption(new Option("--only <part...>", "what to measure").choices([...PARTS, ...ALONE]))
  .option("--hosts <number...>", `how many hosts: ${SIZES.join(", ")}`, sizes)
  .addOption(new Option("--with <tool...>", "which tools, pgherd among them").choices(CONTENDERS))
  .option("--rounds <number>", "how often each command is run", count, 5)
  .option("--fresh-rounds <number>", "how often each fresh deployment is made", count, 3)
  .option("--runs <number>", "how often each recovery is made; the worst counts", count, 10)
  .option("--megabytes <number>", "how large the database is that is restored", count, 2000)
  .option("--json <file>", "write all times there too")
  .option("--keep", "leave the lab up, for another run")
  .addHelpText(
    "after",
    `
Takes most of an hour, and one more for the recoveries; nothing else should run
meanwhile. Times are of whole processes, from start to end; the table shows
medians, and how many times pgherd's they are.

Parts:
  fresh     from blank hosts to a cluster that serves; all packages are on the
            hosts' own disk
  no-op     once more, with everything looked at on the hosts, and nothing to
            change
  dry-run   what would be changed, with everything looked at
  change    one timeout of HAProxy, or back again
  recovery  how long nobody can write after a switchover, a power cut, a crash;
            pgherd alone
  migration how long nobody can write or read while a server becomes a cluster,
            step by step; pgherd alone
  restore   how fast a backup comes back, beside Barman alone and a plain copy
            of the files
  forks     how soon a fork of a database of 0.1 and of 10 GB takes connections,
            on xfs and btrfs; pgherd alone
The floor of fresh is APT alone with the same packages; that of the others is
Pulumi's engine with as many resources of a provider that does nothing.

Examples:
  npm run bench
  npm run bench -- --only no-op --hosts 5 --rounds 10 --json times.json
  npm run bench -- --only no-op --with pgherd --keep
  npm run bench -- --only recovery --runs 3
  npm run bench -- --only restore --rounds 3`,
  )
  .showHelpAfterError("(--help shows what can be said)")
  .action(async (options: Options) => {
    const code = await rerunAsRoot();
    if (code !== undefined) process.exitCode = code;
    else await compare(options);
  });

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

async function compare(options: Options): Promise<void> {
  const say = (text: string) => process.stderr.write(`${pc.dim("bench:")} ${text}\n`);
  const only = options.only ?? [...PARTS, ...ALONE];
  const parts = PARTS.filter((part) => only.includes(part));
  const plan = {
    parts,
    sizes: options.hosts ?? [...SIZES],
    contenders: options.with ?? [...CONTENDERS],
    rounds: options.rounds,
    freshRounds: options.freshRounds,
    say,
  };
  // Its preparation alone installs the others' tools.
  const results = parts.length > 0 ? await benchmark(plan) : { measurements: [] };
  const recovery = only.includes("recovery") ? await measureRecovery(options.runs, say) : [];
  const migration = only.includes("migration") ? await measureMigration(say) : [];
  const restore = only.includes("restore")
    ? await measureRestore(options.rounds, options.megabytes, say)
    : undefined;
  const forks = only.includes("forks") ? await measureForks(options.rounds, say) : [];
  if (options.json !== undefined)
    writeFileSync(
      options.json,
      `${JSON.stringify({ ...results, recovery, migration, restore, forks }, null, 2)}\n`,
    );
  if (parts.length > 0) process.stdout.write(`\n${renderResults(results)}`);
  if (recovery.length > 0) process.stdout.write(`\n${renderRecovery(recovery)}`);
  if (migration.length > 0) process.stdout.write(`\n${renderMigrations(migration)}`);
  if (restore) process.stdout.write(`\n${renderRestore(restore)}`);
  if (forks.length > 0) process.stdout.write(`\n${renderForks(forks)}`);
  if (!options.keep) await down(LAB);
}

function sizes(text: string, before: Size[] | undefined): Size[] {
  const size = SIZES.find((one) => String(one) === text);
  if (size !== undefined) return [...(before ?? []), size];
  throw new InvalidArgumentError(`Expected one of ${SIZES.join(", ")}.`);
}

function count(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number, 1 or more.");
}
