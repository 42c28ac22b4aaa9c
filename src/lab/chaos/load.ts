import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Outcome } from "./history";

/** What the load is told, by its standard input: nothing of it is for others' eyes. */
export interface LoadPlan {
  readonly uri: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly clients: number;
  /** Milliseconds between two writes of a client. */
  readonly pause: number;
}

/** What the load tells, a line of JSON each. */
export type LoadEvent =
  | {
      readonly kind: "write";
      readonly client: number;
      readonly seq: number;
      readonly outcome: Outcome;
      readonly begun: number;
      readonly ended: number;
      readonly address?: string;
      readonly timeline?: number;
    }
  | { readonly kind: "seen"; readonly client: number; readonly seq: number; readonly at: number };

const CONNECT_MS = 2000;
/** A write that takes longer is given up; nobody knows then what becomes of it. */
const PATIENCE_MS = 8000;
const RECONNECT_MS = 100;
const READ_MS = 200;
/** Rows that a reader looks back: more than are written between two looks. */
const READ_ROWS = 300;

/** Writes and reads through the entry point until it is told to stop. */
export async function load(
  plan: LoadPlan,
  tell: (event: LoadEvent) => void,
  stop: AbortSignal,
): Promise<void> {
  const writers = Array.from({ length: plan.clients }, (_, client) =>
    write(plan, client, tell, stop),
  );
  await Promise.all([...writers, read(plan, tell, stop)]);
}

/** This machine's monotonic clock, in seconds. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e9;
}

/**
 * What an error says of a write. Only these codes prove that nothing of it is left: read-only (25006), not started
 * (57P03, 53300), undone (40001, 40P01), refused (23505, 42xxx). All else may have been committed (PostgreSQL, "Error Codes").
 */
export function outcomeOf(code: string | undefined): Outcome {
  return /^(25006|57P03|53300|40001|40P01|23505|42...)$/.test(code ?? "") ? "fail" : "unknown";
}

async function write(
  plan: LoadPlan,
  client: number,
  tell: (event: LoadEvent) => void,
  stop: AbortSignal,
): Promise<void> {
  let connection: pg.Client | undefined;
  let warned = false;
  // A number is never used again, whatever became of it.
  for (let seq = 1; !stop.aborted; seq++) {
    while (!connection && !stop.aborted) {
      connection = await connect(plan, () => (warned = true)).catch(() => undefined);
      if (!connection) await sleep(RECONNECT_MS);
    }
    if (!connection) return;
    warned = false;
    const begun = now();
    const base = { kind: "write", client, seq, begun } as const;
    try {
      const { rows } = await connection.query<{ address: string; timeline: string }>(INSERT, [
        client,
        seq,
      ]);
      const [{ address, timeline } = { address: "", timeline: "" }] = rows;
      // A warning at a commit says that nobody has waited for the replicas any more.
      const outcome = warned ? "unknown" : "ok";
      tell({ ...base, outcome, ended: now(), address, timeline: parseInt(timeline, 16) });
    } catch (error) {
      const { code } = error as { code?: string };
      tell({ ...base, outcome: outcomeOf(code), ended: now() });
      // Not waited for: a peer that says nothing would hold it for minutes.
      void connection.end().catch(() => undefined);
      connection = undefined;
    }
    await sleep(plan.pause);
  }
  await connection?.end().catch(() => undefined);
}

const INSERT = `insert into chaos (client, seq) values ($1, $2)
  returning host(inet_server_addr()) as address, substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) as timeline`;

async function read(
  plan: LoadPlan,
  tell: (event: LoadEvent) => void,
  stop: AbortSignal,
): Promise<void> {
  const known = new Set<string>();
  let connection: pg.Client | undefined;
  while (!stop.aborted) {
    try {
      connection ??= await connect(plan, () => undefined);
      const { rows } = await connection.query<{ client: number; seq: number }>(
        `select client, seq from chaos order by id desc limit ${READ_ROWS}`,
      );
      const at = now();
      for (const { client, seq } of rows) {
        const name = `${client}/${seq}`;
        if (!known.has(name)) tell({ kind: "seen", client, seq, at });
        known.add(name);
      }
    } catch {
      void connection?.end().catch(() => undefined);
      connection = undefined;
    }
    await sleep(READ_MS);
  }
  await connection?.end().catch(() => undefined);
}

async function connect(plan: LoadPlan, warn: () => void): Promise<pg.Client> {
  // The driver would take a URI's missing user for an empty one.
  const { hostname, port } = new URL(plan.uri);
  const client = new pg.Client({
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(port),
    user: plan.user,
    password: plan.password,
    database: plan.database,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: PATIENCE_MS,
  });
  // A connection that breaks while nothing is asked of it shows with the next question.
  client.on("error", () => undefined);
  // Its severity is in the server's language; a mere notice has the code of success (PostgreSQL, "Error Codes").
  client.on("notice", ({ code }) => {
    if (!code?.startsWith("00")) warn();
  });
  await client.connect();
  return client;
}
