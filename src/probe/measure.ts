import { setTimeout as sleep } from "node:timers/promises";
import { now, Probe, type ProbeTarget } from "./probe";
import type { Interruption } from "./report";

/** What some work cost the clients of a cluster. */
export interface Measured<T> {
  readonly result: T;
  /** The longest time without a commit; absent if clients noticed nothing. */
  readonly interruption?: Interruption;
  /** Why nothing can be said about it. */
  readonly unmeasured?: string;
}

/** The first connection may take a moment. */
const BEGIN_MS = 5000;
/** For writes to come back after the work, before it is said that they do not. */
const RETURN_MS = 60_000;
const LOOK_MS = 50;

/** Does some work while a probe writes, and waits until writes work again. */
export async function measured<T>(probe: Probe, work: () => Promise<T>): Promise<Measured<T>> {
  const writesBefore = await commitWithin(probe, BEGIN_MS);
  const error = probe.tally.errorOf("writes");
  const start = now();
  const result = await work();
  if (!writesBefore) return { result, unmeasured: `no write went through before: ${error}` };
  await commitWithin(probe, RETURN_MS);
  const { interruptions } = probe.tally.report(now());
  const [longest] = interruptions
    .filter(({ kind, to }) => kind === "writes" && (to === undefined || Date.parse(to) >= start))
    .sort((a, b) => b.ms - a.ms);
  return { result, interruption: longest };
}

/** Does some work while writes are measured through the entry point; where that cannot be, it is done all the same. */
export async function whileMeasured<T>(
  target: () => ProbeTarget,
  work: () => Promise<T>,
): Promise<Measured<T>> {
  let probe: Probe;
  try {
    // A reading session would keep the member that it is on from being drained.
    probe = new Probe({ ...target(), replica: undefined }).start();
  } catch (error) {
    return { result: await work(), unmeasured: (error as Error).message.split("\n")[0] };
  }
  try {
    return await measured(probe, work);
  } finally {
    await probe.stop();
  }
}

/** Whether a write that begins from now on is committed in time. */
async function commitWithin({ tally }: Probe, ms: number): Promise<boolean> {
  const start = now();
  // The next one may have been under way already.
  const wanted = tally.successes("writes") + 2;
  while (now() - start < ms) {
    if (tally.successes("writes") >= wanted) return true;
    await sleep(LOOK_MS);
  }
  return false;
}
