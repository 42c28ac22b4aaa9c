/** What a probe does over and over, each kind on a connection of its own. */
export type Kind = "writes" | "reads";

/** What a probe has seen. */
export interface ProbeReport {
  /** When it began and until when this tells: `2026-11-21T22:38:16.123Z`. */
  readonly since: string;
  readonly until: string;
  readonly writes: KindReport;
  readonly reads: KindReport;
  /** In the order in which they ended; those that last still come at the end. */
  readonly interruptions: readonly Interruption[];
  readonly seconds: readonly Second[];
}

/** All of one kind. */
export interface KindReport {
  readonly succeeded: number;
  /** Each of these may have been done all the same: the client was not told. */
  readonly failed: number;
  /** Of those that succeeded, in milliseconds; absent if none did. */
  readonly latencyMs?: {
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
    readonly max: number;
  };
}

/** A time without success: from the last one to the next one, as a client sees it. */
export interface Interruption {
  readonly kind: Kind;
  readonly from: string;
  /** Absent while it lasts. */
  readonly to?: string;
  readonly ms: number;
  /** Who answered last before, and first after. */
  readonly before?: string;
  readonly after?: string;
  /** The first thing that went wrong. */
  readonly error?: string;
}

/** How many of each kind ended in one second. */
export interface Second {
  /** Seconds since 1970. */
  readonly at: number;
  readonly writes: number;
  readonly writesFailed: number;
  readonly reads: number;
  readonly readsFailed: number;
}

/** A duration as people say it: `2.3 s`, `340 ms`, `4 min 10 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
