import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { Interruption, Kind, KindReport, ProbeReport, Second } from "./report";

/** One write or read, when it had ended. */
interface Attempt {
  readonly kind: Kind;
  /** When it ended, in milliseconds since 1970. */
  readonly at: number;
  /** How long it took, in milliseconds. */
  readonly ms: number;
  /** Who answered: a member's name. */
  readonly member?: string;
  /** Why it failed; it may have been done all the same. */
  readonly error?: string;
}

/** Without a failure it is one from this gap on: somebody was kept waiting. */
const LONG_GAP_MS = 1000;

/** No more of them are kept, the latest ones. */
const INTERRUPTIONS = 1000;

type Counts = { -readonly [count in keyof Second]: Second[count] };

interface Book {
  succeeded: number;
  failed: number;
  readonly latency: RecordableHistogram;
  /** Of the last success; of the beginning before the first. */
  last: { readonly at: number; readonly member?: string };
  failedSince: number;
  error?: string;
}

/** Keeps book of a probe: what succeeded and failed each second, how long it took, and when nothing went through. */
export class Tally {
  private readonly books: { readonly [kind in Kind]: Book };
  private readonly seconds: Counts[] = [];
  private readonly interruptions: Interruption[] = [];

  constructor(
    private readonly begun: number,
    /** Seconds that are told one by one; older ones are forgotten. @default all */
    private readonly kept = Infinity,
  ) {
    this.books = { writes: newBook(begun), reads: newBook(begun) };
  }

  add({ kind, at, ms, member, error }: Attempt): void {
    const book = this.books[kind];
    const second = this.secondOf(at);
    if (error !== undefined) {
      book.failed += 1;
      book.failedSince += 1;
      book.error ??= error;
      second[`${kind}Failed`] += 1;
      return;
    }
    const interruption = interruptionOf(kind, book, at, member);
    if (interruption) this.interruptions.push(interruption);
    if (this.interruptions.length > INTERRUPTIONS) this.interruptions.shift();
    book.succeeded += 1;
    book.latency.record(Math.max(1, Math.round(ms * 1000)));
    book.last = { at, member };
    book.failedSince = 0;
    book.error = undefined;
    second[kind] += 1;
  }

  /** When the last one of a kind succeeded, in milliseconds since 1970; the beginning if none has. */
  lastSuccess(kind: Kind): number {
    return this.books[kind].last.at;
  }

  /** How many of a kind have succeeded so far. */
  successes(kind: Kind): number {
    return this.books[kind].succeeded;
  }

  /** Why the latest of a kind failed; nothing if it succeeded. */
  errorOf(kind: Kind): string | undefined {
    return this.books[kind].error;
  }

  /** Everything up to now, with interruptions that have not ended yet. */
  report(now: number): ProbeReport {
    this.secondOf(now);
    // What was never tried is not interrupted.
    const tried = (["writes", "reads"] as const).filter(
      (kind) => this.books[kind].succeeded + this.books[kind].failed > 0,
    );
    const open = tried.flatMap((kind) => {
      const found = interruptionOf(kind, this.books[kind], now, undefined);
      return found ? [{ ...found, to: undefined }] : [];
    });
    return {
      since: new Date(this.begun).toISOString(),
      until: new Date(now).toISOString(),
      writes: summary(this.books.writes),
      reads: summary(this.books.reads),
      interruptions: [...this.interruptions, ...open],
      seconds: this.seconds.map((second) => ({ ...second })),
    };
  }

  /** The counts of the second that a moment lies in. Seconds in which nothing ended are there too, with zeros. */
  private secondOf(at: number): Counts {
    const wanted = Math.floor(at / 1000);
    const first = Math.floor(this.begun / 1000);
    let last = this.seconds.at(-1)?.at ?? first - 1;
    while (last < wanted) {
      last += 1;
      this.seconds.push({ at: last, writes: 0, writesFailed: 0, reads: 0, readsFailed: 0 });
    }
    if (this.seconds.length > this.kept) this.seconds.splice(0, this.seconds.length - this.kept);
    const index = wanted - (this.seconds[0]?.at ?? wanted);
    return this.seconds[Math.max(0, index)] as Counts;
  }
}

function newBook(at: number): Book {
  return {
    succeeded: 0,
    failed: 0,
    latency: createHistogram({ figures: 3 }),
    last: { at },
    failedSince: 0,
  };
}

function interruptionOf(
  kind: Kind,
  book: Book,
  at: number,
  member: string | undefined,
): Interruption | undefined {
  const ms = at - book.last.at;
  if (book.failedSince === 0 && ms < LONG_GAP_MS) return undefined;
  return {
    kind,
    from: new Date(book.last.at).toISOString(),
    to: new Date(at).toISOString(),
    ms: Math.round(ms),
    before: book.last.member,
    after: member,
    error: book.error,
  };
}

function summary({ succeeded, failed, latency }: Book): KindReport {
  const ms = (microseconds: number) => Math.round(microseconds / 10) / 100;
  return {
    succeeded,
    failed,
    latencyMs:
      succeeded === 0
        ? undefined
        : {
            p50: ms(latency.percentile(50)),
            p95: ms(latency.percentile(95)),
            p99: ms(latency.percentile(99)),
            max: ms(latency.max),
          },
  };
}
