import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { Tally } from "./tally";
import type { Kind } from "./report";

/** Where a probe writes and reads, and as whom. */
export interface ProbeTarget {
  /** URI of the entrance to the primary: `postgresql://10.89.0.100:5000/`; several addresses are tried in turn. */
  readonly primary: string;
  /** URI of the entrance to the replicas; without it nothing is read. */
  readonly replica?: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Members by the address on which their PostgreSQL listens: `{ "10.89.0.11": "db1" }`. */
  readonly members: { readonly [address: string]: string };
}

interface ProbeOptions {
  /** Writes, and as many reads, each second. @default 20: an interruption is then known to 50 ms */
  readonly perSecond?: number;
  /** Seconds that are told one by one. @default all */
  readonly kept?: number;
}

/**
 * A commit that waits for the disk and for synchronous replicas as every other one does, and that needs no table: a
 * message in the WAL, which nobody reads (PostgreSQL, "Replication Management Functions", pg_logical_emit_message).
 */
const WRITE =
  "select pg_logical_emit_message(true, 'pgherd probe', '') as at, host(inet_server_addr()) as server";
const READ = "select pg_last_wal_replay_lsn() as at, host(inet_server_addr()) as server";

const CONNECT_TIMEOUT_MS = 1000;
const QUERY_TIMEOUT_MS = 3000;
/** Between two attempts of which the first failed. */
const RETRY_MS = 50;

/** A client of the entry point that writes and reads one after the other, as an application does, until it is stopped. */
export class Probe {
  readonly tally: Tally;
  private stopping = false;
  private loops: Promise<void>[] = [];

  constructor(
    private readonly target: ProbeTarget,
    private readonly options: ProbeOptions = {},
  ) {
    this.tally = new Tally(now(), options.kept);
  }

  start(): this {
    const { primary, replica } = this.target;
    this.loops = [
      this.loop("writes", primary, WRITE),
      ...(replica === undefined ? [] : [this.loop("reads", replica, READ)]),
    ];
    return this;
  }

  /** Ends after the attempts that are under way, in some seconds at most. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.loops);
  }

  private async loop(kind: Kind, uri: string, sql: string): Promise<void> {
    const pause = 1000 / (this.options.perSecond ?? 20);
    const addresses = addressesOf(uri);
    let client: ProbeClient | undefined;
    for (let turn = 0; !this.stopping;) {
      const start = now();
      try {
        client ??= await this.connect(addresses[turn % addresses.length] as Address);
        const { rows } = await client.query<{ server: string }>(sql);
        const server = rows[0]?.server ?? "";
        const at = now();
        this.tally.add({ kind, at, ms: at - start, member: this.target.members[server] ?? server });
        await sleep(Math.max(0, pause - (at - start)));
      } catch (error) {
        const at = now();
        this.tally.add({ kind, at, ms: at - start, error: firstLine(client?.broken ?? error) });
        void client?.end().catch(() => {});
        client = undefined;
        turn += 1;
        await sleep(RETRY_MS);
      }
    }
    await client?.end().catch(() => {});
  }

  private async connect({ host, port }: Address): Promise<ProbeClient> {
    const { user, password, database } = this.target;
    const client = new ProbeClient({
      ...{ host, port, user, password, database },
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      application_name: "pgherd probe",
    });
    // A connection that breaks while nothing is asked of it shows with the next query, which does not say why.
    client.on("error", (error) => (client.broken ??= error));
    try {
      await client.connect();
    } catch (error) {
      void client.end().catch(() => {});
      throw error;
    }
    return client;
  }
}

class ProbeClient extends pg.Client {
  /** Why the connection has ended. */
  broken?: Error;
}

/** Milliseconds since 1970 by a clock that nobody sets back. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** The addresses of a URI as libpq reads it: `postgresql://10.0.0.1:5000,[fd00::1]:5000/`. */
export function addressesOf(uri: string): Address[] {
  const list = /^postgres(?:ql)?:\/\/([^/?]*)/.exec(uri)?.[1] ?? "";
  return list.split(",").map((one) => {
    const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(one) ?? [];
    return { host: bracketed ?? plain ?? one, port: Number(port ?? 5432) };
  });
}

function firstLine(error: unknown): string {
  return (error as Error).message.split("\n")[0] ?? "";
}
