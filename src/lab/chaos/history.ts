// What a run leaves behind for its checker. All times are seconds of this machine's one monotonic clock, which all hosts of
// a lab share: moments seen on different hosts can be compared exactly.

/** A row as the writer asked for it: no two have the same client and number, whatever became of them. */
export interface Row {
  readonly client: number;
  readonly seq: number;
}

/**
 * What became of a write. `ok`: its commit was acknowledged. `fail`: the server has said that nothing of it is left.
 * `unknown`: nobody can say, since the connection broke, time ran out, or the commit came with a warning.
 */
export type Outcome = "ok" | "fail" | "unknown";

export interface Write extends Row {
  readonly outcome: Outcome;
  /** When it was asked for, and when its outcome was known. */
  readonly begun: number;
  readonly ended: number;
  /** The server's own word for where and on which timeline; only of what is `ok`. */
  readonly member?: string;
  readonly timeline?: number;
}

/** A row that a reader has seen through the entry point. */
export interface Seen extends Row {
  readonly at: number;
}

/** A write that a member itself has taken, asked by its own socket: it tells who is a primary, seen by clients or not. */
export interface Probe {
  readonly member: string;
  readonly timeline: number;
  readonly begun: number;
  readonly ended: number;
}

/** A fault as it was played. */
export interface Played {
  readonly what: string;
  readonly begun: number;
  readonly ended: number;
  /** When all members were whole again; none if that took too long. */
  readonly whole?: number;
}

/** The tables as the members have them at the end, in the order in which the rows were written; a row may be there twice. */
export interface Final {
  readonly leader: string;
  readonly tables: { readonly [member: string]: readonly Row[] };
}

export interface History {
  readonly writes: readonly Write[];
  readonly seen: readonly Seen[];
  readonly probes: readonly Probe[];
  readonly faults: readonly Played[];
  readonly final: Final;
}
