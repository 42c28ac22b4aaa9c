import { spawnSync } from "node:child_process";
import type { Settings } from "../config/schema";
import { PgherdError, UsageError } from "../errors";

/** Who a verb connects as, and where to. */
interface Client {
  readonly user: string;
  readonly database: string;
}

type Said = Partial<Client>;

/**
 * Who that is for every verb that connects to the database, as far as it is not said: the stack's first database as its
 * owner; a database of the stack as its owner; any other one as the first one's owner. A stack without databases has the one
 * that PostgreSQL makes, and its first user. Without a user where the stack names none.
 */
export function likelyClient(
  { cluster }: Settings,
  said: Said = {},
): { readonly user?: string; readonly database: string } {
  const { users, databases } = cluster.postgresql;
  const [first] = databases;
  const database = said.database ?? first?.name ?? "postgres";
  const owner = databases.find(({ name }) => name === database)?.owner ?? first?.owner;
  return { user: said.user ?? owner ?? users[0]?.name, database };
}

/** The same. @throws UsageError if nobody is said, and the stack names nobody */
export function clientOf(settings: Settings, said: Said = {}): Client {
  const { user, database } = likelyClient(settings, said);
  if (user === undefined) {
    throw new UsageError(
      "--user: expected a user, because the stack names none in pgherd:cluster.postgresql.users.",
      "Say -U USER.",
    );
  }
  return { user, database };
}

/**
 * Runs psql on this terminal, and ends with its exit code.
 * @param uri without user and database.
 * @throws PgherdError if there is no psql.
 */
export function runPsql(
  uri: string,
  { user, database }: Client,
  password: string,
  words: readonly string[],
): void {
  // The environment of a process is for its owner's eyes only, its arguments are for everyone's.
  const { status, error } = spawnSync("psql", ["--dbname", uri, ...words], {
    stdio: "inherit",
    env: { ...process.env, PGUSER: user, PGDATABASE: database, PGPASSWORD: password },
  });
  if (error) {
    throw new PgherdError(
      `psql cannot be run: ${error.message}.`,
      "Install PostgreSQL's client, on Debian: sudo apt-get install postgresql-client",
    );
  }
  process.exitCode = status ?? 1;
}
