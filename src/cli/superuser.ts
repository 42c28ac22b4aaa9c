import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PgherdError } from "../errors";
import type { Host } from "../host/host";
import { quote } from "../host/shell";
import { leaderOf } from "../facts/member-state";
import { observe, requireMember } from "../cluster/cluster";
import { socketsDirectory } from "../roles/patroni";
import { confirm } from "./ask";
import type { StackOptions } from "./cluster";
import { during } from "./during";
import { recorded, requireRecord, whoami } from "./record";

interface SuperuserOptions extends StackOptions {
  readonly on?: string;
  readonly database?: string;
  readonly yes?: boolean;
}

const OWNER = "postgres";

/**
 * Opens psql as the superuser on a member, after the user has agreed to what that means. It runs here, with the files
 * and the terminal of this machine, over SSH to the member's own socket: no password opens it, and no port.
 */
export async function superuserPsql(
  words: readonly string[],
  options: SuperuserOptions,
): Promise<void> {
  await during("superuser session", options, async (cluster) => {
    requireMember(cluster, options.on, "--on");
    const member = options.on ?? leaderOf(await observe(cluster));
    if (member === undefined) {
      throw new PgherdError(
        "psql --superuser: expected a member that leads, found none.",
        "Name one with --on, and see pgherd status.",
      );
    }
    const { port } = cluster.plan.patroni;
    const record = requireRecord(options.stack);
    const what = `psql --superuser --on ${member}`;
    await confirm(
      `${cluster.plan.name}: psql as the superuser ${OWNER} on ${member}`,
      { effects: effects(member, record) },
      options.yes ?? false,
    );
    const host = cluster.host(member);
    const note = `${whoami()} opens psql as superuser`;
    await host.run("noting it", `logger -t pgherd -p auth.notice ${quote(note)}`);
    await recorded(options.stack, what, async () => {
      const socket = `${socketsDirectory(cluster.settings.cluster)}/.s.PGSQL.${port}`;
      process.exitCode = await throughSocket(host, socket, port, (folder) =>
        psql(
          ["--host", folder, "--port", String(port), "--username", OWNER],
          words,
          options.database,
        ),
      );
    });
  });
}

function effects(member: string, record: string): string[] {
  return [
    "You may read, change and delete everything in every database; no right and no policy of rows stops you.",
    `What you change reaches all members from the leader. What the stack says of roles, databases and settings, the next \`pulumi up\` puts back.`,
    `That you were here stands in the journal of ${member} and in ${record}; what you do there does not.`,
  ];
}

/** Serves the member's socket in a folder that nobody else can enter, for as long as something runs. */
async function throughSocket(
  host: Host,
  socket: string,
  port: number,
  work: (folder: string) => Promise<number>,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-psql-"));
  const server = createServer({ pauseOnConnect: true }, (client) => {
    client.on("error", () => {});
    host.relay({ user: OWNER, socket }).then(
      ({ stream, close }) => {
        stream.on("error", () => client.destroy()).on("close", () => client.destroy());
        client.on("close", close).pipe(stream).pipe(client);
        if (client.destroyed) close();
      },
      (error: Error) => {
        process.stderr.write(`${error.message}\n`);
        client.destroy();
      },
    );
  });
  try {
    await listening(server, join(folder, `.s.PGSQL.${port}`));
    return await work(folder);
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
}

/** psql with this terminal. Ctrl-C is for it: it ends a query, and not this program. */
function psql(
  where: readonly string[],
  words: readonly string[],
  database = "postgres",
): Promise<number> {
  const ignore = () => undefined;
  process.on("SIGINT", ignore);
  return new Promise<number>((resolve, reject) => {
    const child = spawn("psql", [...where, "--dbname", database, ...words], { stdio: "inherit" });
    child.once("error", ({ message }) =>
      reject(
        new PgherdError(
          `psql cannot be run: ${message}.`,
          "Install PostgreSQL's client, on Debian: sudo apt-get install postgresql-client",
        ),
      ),
    );
    child.once("exit", (code) => resolve(code ?? 1));
  }).finally(() => process.off("SIGINT", ignore));
}
