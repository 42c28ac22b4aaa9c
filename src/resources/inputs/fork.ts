import type { FileInput } from "./files";

/** A writable copy of the database on the host of one of the members, which shares all unchanged blocks with it. */
export interface ForkInputs {
  readonly cluster: string;
  readonly name: string;
  /** `replica`, or the member that it is made from. */
  readonly from: string;
  /** Endpoint of Patroni's REST API by host: `{ db1: "10.89.0.11:8008" }`. */
  readonly members: { readonly [host: string]: string };
  /** The member's PostgreSQL: where it is, which major version, and where it listens. */
  readonly source: {
    readonly dataDirectory: string;
    readonly version: number;
    readonly port: number;
  };
  /** Where the fork lies: `/var/lib/postgresql/17/forks/try-migration`. */
  readonly folder: string;
  /** The host's tool that keeps forks within their limits. */
  readonly keeper: string;
  readonly port: number;
  /** Bytes of memory that it may use. */
  readonly memory: number;
  /** Bytes of the disk that it may take for itself. */
  readonly disk: number;
  /** Seconds until the host removes it; 0: it stays. */
  readonly ttl: number;
  readonly files: { readonly [path: string]: FileInput };
  /** Of every login role that has a password, on the fork only. */
  readonly password: string;
  /** `active` is wanted; else the unit's state, or why the host has stopped it. */
  readonly running: string;
}
