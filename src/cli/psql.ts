import { spawnSync } from "node:child_process";
import { Command, Option } from "commander";
import { ENTRANCES } from "../plan/haproxy";
import { PgherdError, UsageError } from "../errors";
import { oneOf } from "../suggest";
import { stackOutputs } from "./outputs";

interface PsqlOptions {
  readonly stack: string;
  readonly port: string;
  readonly replica?: boolean;
  readonly user: string;
  readonly database: string;
}

/** `pgherd psql`: a client on the entry point, with the password from the stack's outputs. */
export function psqlCommand(): Command {
  return new Command("psql")
    .description("Opens psql through the entry point, as the application's user.")
    .argument("[argument...]", "psql's own: -c 'select 1', -f FILE; after -- what both know")
    .allowUnknownOption()
    .option("-s, --stack <stack>", "the deployed stack to connect to", "lab")
    .addOption(
      new Option("-p, --port <entrance>", "where to come in").choices(ENTRANCES).default("primary"),
    )
    .option("--replica", "the same as --port replica")
    .option("-U, --user <user>", "who to connect as", "app")
    .option("-d, --database <database>", "where to connect to", "app")
    .addHelpText("after", PSQL_HELP)
    .action((words: string[], { stack, port, replica, user, database }: PsqlOptions) => {
      const entrance = replica ? "replica" : port;
      const { connection, passwords } = stackOutputs(stack);
      const uri = connection[entrance];
      if (uri === undefined) throw wrong("port", Object.keys(connection), entrance);
      const password = passwords[user];
      if (password === undefined) throw wrong("user", Object.keys(passwords), user);
      // The environment of a process is for its owner's eyes only, its arguments are for everyone's.
      const { status, error } = spawnSync("psql", ["--dbname", uri, ...words], {
        stdio: "inherit",
        env: {
          ...process.env,
          PGUSER: user,
          PGDATABASE: database,
          PGPASSWORD: password,
        },
      });
      if (error) {
        throw new PgherdError(
          `psql cannot be run: ${error.message}.`,
          "Install PostgreSQL's client, on Debian: sudo apt-get install postgresql-client",
        );
      }
      process.exitCode = status ?? 1;
    });
}

function wrong(option: string, expected: readonly string[], found: string): PgherdError {
  return new UsageError(`--${option}: expected ${oneOf(expected, found)}`);
}

const PSQL_HELP = `
All other options are psql's. It ends with psql's exit code.

Examples:
  pgherd psql
  pgherd psql --replica -c 'select pg_is_in_recovery()'
  pgherd psql -U shop -d shop -Atf report.sql`;
