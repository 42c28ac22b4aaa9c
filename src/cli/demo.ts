import { join } from "node:path";
import { Command } from "commander";
import pc from "picocolors";
import pg from "pg";
import { PgherdError } from "../errors";
import { labExec, labExecAttached } from "../lab/exec";
import { rerunAsRoot } from "../lab/rights";
import { DEFAULT_NAME } from "../lab/state";
import { up } from "../lab/up";
import { packageRoot } from "../package-root";
import { addressesOf } from "../probe/probe";
import { stackOutputs } from "./outputs";

const STACK = "lab";

/** `pgherd demo`: the main job, on hosts of this machine. */
export function demoCommand(): Command {
  const demo = new Command("demo")
    .description("Boots the lab, deploys a cluster onto it with `pulumi up`, and shows it at work.")
    .action(async () => {
      const code = await rerunAsRoot();
      if (code !== undefined) process.exitCode = code;
      else await runDemo();
    });
  demo
    .command("show", { hidden: true })
    .description("Writes and reads through the entry point; runs inside the lab's network.")
    .action(throughEntryPoint);
  return demo;
}

async function runDemo(): Promise<void> {
  const start = Date.now();
  heading("Six blank Debian hosts");
  await up(DEFAULT_NAME, {
    topology: "standard",
    distro: "trixie",
    progress: (host, text) => process.stdout.write(`  ${host ?? "lab"}: ${text}\n`),
  });
  const root = packageRoot();
  const pulumi = ["pulumi", "-C", root];
  await labExec(DEFAULT_NAME, [...pulumi, "stack", "select", "--create", STACK]);
  heading("pulumi up");
  await insideLab([...pulumi, "up", "--yes", "--skip-preview", "--stack", STACK]);
  const pgherd = [process.execPath, join(root, "bin/pgherd")];
  heading("pgherd status");
  await insideLab([...pgherd, "status", "--stack", STACK]);
  heading("Through the virtual IP");
  await insideLab([...pgherd, "demo", "show"]);
  process.stdout.write(NEXT(((Date.now() - start) / 1000).toFixed(0)));
}

async function insideLab(argv: string[]): Promise<void> {
  const code = await labExecAttached(DEFAULT_NAME, argv);
  if (code !== 0) {
    throw new PgherdError(
      `the demo stopped: ${argv[0]?.split("/").at(-1)} ended with exit code ${code}.`,
      "What it printed above says why. `npm run demo` goes on from here; `npx pgherd lab down` starts afresh.",
    );
  }
}

/** Writes a row on the primary's port and reads it back on the others, saying which member answered. */
async function throughEntryPoint(): Promise<void> {
  const { connection, passwords } = stackOutputs(STACK);
  const connect = async (entrance: string) => {
    const [address] = addressesOf(connection[entrance] ?? "");
    const client = new pg.Client({
      ...address,
      user: "app",
      password: passwords.app,
      database: "app",
      connectionTimeoutMillis: 5000,
    });
    await client.connect();
    return client;
  };
  const primary = await connect("primary");
  await primary.query(
    "create table if not exists demo (id bigint generated always as identity, written timestamptz default now())",
  );
  const written = await primary.query(
    "insert into demo default values returning id, inet_server_addr() as server, pg_current_wal_lsn() as lsn",
  );
  const { id, server, lsn } = written.rows[0] as { id: string; server: string; lsn: string };
  say("primary", connection.primary, `wrote row ${id}`, server);
  await primary.end();
  for (const entrance of ["replica", "synchronous", "asynchronous"]) {
    const client = await connect(entrance);
    // An asynchronous replica may be a moment behind: wait for the row's position, at most some seconds.
    for (let round = 0; round < 50; round++) {
      const replayed = await client.query("select pg_last_wal_replay_lsn() >= $1::pg_lsn as done", [
        lsn,
      ]);
      if ((replayed.rows[0] as { done: boolean }).done) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const read = await client.query(
      "select count(*) as found, inet_server_addr() as server from demo where id = $1",
      [id],
    );
    const row = read.rows[0] as { found: string; server: string };
    if (row.found !== "1") throw new PgherdError(`${entrance}: expected row ${id}, found none.`);
    say(entrance, connection[entrance], `read row ${id}`, row.server);
    await client.end();
  }
}

function say(entrance: string, uri: string | undefined, what: string, server: string): void {
  const port = /:(\d+)\//.exec(uri ?? "")?.[1];
  process.stdout.write(`  ${String(port)} ${entrance.padEnd(13)} ${what} on ${server}\n`);
}

function heading(text: string): void {
  process.stdout.write(`\n${pc.bold(text)}\n`);
}

const NEXT = (seconds: string) => `
Done after ${seconds} s. The cluster runs in a network of its own on this machine:

  connect     npx pgherd lab exec -- npx pgherd psql
  again       npx pgherd lab exec -- pulumi up -s lab          changes nothing
  look        npx pgherd lab exec -- npx pgherd status
  watch it    npx pgherd serve --lab                           with a switch for each plug
  break it    npx pgherd lab power off db1                     and look again
  log in      npx pgherd lab ssh db1
  remove it   npx pgherd lab down
`;
