import type { AuditEntry } from "./audit";

/** Refused calls a minute that an address is told the reason of. */
const TOLD_A_MINUTE = 60;

/** Addresses that are counted by themselves within a minute; whoever has more of them shares one count. */
const ADDRESSES = 100;
const OTHERS = "others";

const MINUTE_MS = 60_000;

/**
 * Calls that were not let in, counted by address: the first one of a minute is written down, the others at its end as one,
 * so that nobody fills the log by being refused.
 */
export class Refusals {
  private readonly counted = new Map<string, { last: AuditEntry; more: number }>();
  private readonly ticking = setInterval(() => this.sum(), MINUTE_MS).unref();

  /** @param write into a log of their own, so that they displace no record of a change. */
  constructor(private readonly write: (entry: AuditEntry) => void) {}

  /** @returns whether there were so many from this address that it is not worth an answer. */
  count(entry: AuditEntry): boolean {
    const known = this.counted.has(entry.address) || this.counted.size < ADDRESSES;
    const address = known ? entry.address : OTHERS;
    const last = { ...entry, address };
    const before = this.counted.get(address);
    const more = before ? before.more + 1 : 0;
    this.counted.set(address, { last, more });
    if (!before) this.write(last);
    return more >= TOLD_A_MINUTE;
  }

  /** Writes down what is counted and not told yet, and ends. */
  close(): void {
    clearInterval(this.ticking);
    this.sum();
  }

  private sum(): void {
    for (const { last, more } of this.counted.values()) {
      if (more > 0) this.write({ ...last, more });
    }
    this.counted.clear();
  }
}
