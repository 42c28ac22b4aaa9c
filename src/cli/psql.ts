import { Command, Option } from "commander";
import { ENTRANCES } from "../plan/haproxy";
import { PgherdError, UsageError } from "../errors";
import { oneOf } from "../suggest";
import { clientOf, runPsql } from "./client";
import { STACK_OPTION } from "./cluster";
import { stackOutputs } from "./outputs";
import { readStack } from "./stack";
import { superuserPsql } from "./superuser";

interface PsqlOptions {
  readonly stack: string;
  readonly port: string;
  readonly replica?: boolean;
  readonly user?: string;
  readonly database?: string;
  readonly superuser?: boolean;
  readonly on?: string;
  readonly configFile?: string;
  readonly yes?: boolean;
}

/** `pgherd psql`: a client on the entry point, with the password from the stack's outputs. */
export function psqlCommand(): Command {
  return new Command("psql")
    .description("Opens psql through the entry point, as the owner of the first database.")
    .argument("[argument...]", "psql's own: -c 'select 1', -f FILE; after -- what both know")
    .allowUnknownOption()
    .option("-s, --stack <stack>", STACK_OPTION)
    .addOption(
      new Option("-p, --port <entrance>", "where to come in").choices(ENTRANCES).default("primary"),
    )
    .option("--replica", "the same as --port replica")
    .option("-U, --user <user>", "who to connect as (default: the owner of the database)")
    .option(
      "-d, --database <database>",
      "where to connect to (default: the stack's first database)",
    )
    .option("--superuser", "as postgres on a member's own socket, over SSH; asks first")
    .option("--on <member>", "with --superuser: on which member (default: the leader)")
    .option("--config-file <file>", "the stack's settings, where they are not in stacks/")
    .option("-y, --yes", "with --superuser: do not ask")
    .addHelpText("after", PSQL_HELP)
    .action((words: string[], options: PsqlOptions) => {
      const { stack, port, replica } = options;
      if (options.superuser) {
        if (options.user !== undefined || replica || port !== "primary") throw apart();
        return superuserPsql(words, options);
      }
      if (options.on !== undefined || options.yes) {
        throw new UsageError("--on, --yes: expected them with --superuser only.");
      }
      const { user, database } = clientOf(readStack(stack, options.configFile), options);
      const entrance = replica ? "replica" : port;
      const { connection, passwords } = stackOutputs(stack);
      const uri = connection[entrance];
      if (uri === undefined) throw wrong("port", Object.keys(connection), entrance);
      const password = passwords[user];
      if (password === undefined) throw wrong("user", Object.keys(passwords), user);
      runPsql(uri, { user, database }, password, words);
    });
}

function apart(): UsageError {
  return new UsageError(
    "--superuser: expected it without --user, --port and --replica: it is postgres, on a member itself.",
  );
}

function wrong(option: string, expected: readonly string[], found: string): PgherdError {
  return new UsageError(`--${option}: expected ${oneOf(expected, found)}`);
}

const PSQL_HELP = `
All other options are psql's. It ends with psql's exit code. As superuser you
may do everything: it says what that means and asks, and that you were there is
recorded, in the member's journal and on this machine (pgherd history).

Examples:
  pgherd psql
  pgherd psql --replica -c 'select pg_is_in_recovery()'
  pgherd psql -U shop -d shop -Atf report.sql
  pgherd psql --superuser -d shop -c 'reindex index concurrently orders_pkey'`;
