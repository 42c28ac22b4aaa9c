import { PgherdError, UsageError } from "../errors";
import { observeStatus, type ClusterStatus } from "../operations/status";
import { Refusal, type Cluster } from "../cluster/cluster";
import { EventLog, type LoggedEvent } from "../cluster/event-log";
import { eventsBetween, lastKnown, type ClusterEvent } from "../cluster/events";
import type { History } from "../cluster/history";
import { Watch } from "../cluster/watch";
import { now, Probe, type ProbeTarget } from "../probe/probe";
import type { ProbeReport } from "../probe/report";
import type { PowerSwitch } from "./power";

/** What is pushed to whoever listens. */
export type Message =
  | { readonly type: "status"; readonly data: ClusterStatus }
  | { readonly type: "event"; readonly data: LoggedEvent }
  | { readonly type: "probe"; readonly data: ProbeReport | null }
  | { readonly type: "operation"; readonly data: Operation | null }
  | { readonly type: "power"; readonly data: ReturnType<PowerSwitch["states"]> };

/** What is being done to the cluster. */
export interface Operation {
  /** `switchover to db2` */
  readonly what: string;
  /** What is waited for. */
  readonly message: string;
}

/** Something else is being done to the cluster; only one thing is at a time. */
export class Busy extends PgherdError {}

/** Whether this tells that nothing was changed. */
function nothingDone(error: unknown): boolean {
  return error instanceof Refusal || error instanceof UsageError;
}

interface LiveOptions {
  readonly cluster: Cluster;
  /** Where a probe would write and read. */
  readonly probeTarget: () => ProbeTarget;
  readonly power?: PowerSwitch;
  /** What has changed the cluster, for the time in which nobody watched. */
  readonly history?: () => Promise<History>;
}

const WATCH_PAUSE_MS = 1000;
const TELL_MS = 1000;
/** What a page shows of the writes, in seconds. */
const PROBE_SECONDS = 300;
const EVENTS = 200;
/** Of these at most so many are told that were before the server began. */
const EARLIER = 100;

/**
 * The cluster as it is at any moment, and what happens to it, for any number of listeners. While nobody listens and
 * nothing is measured, no host is asked anything.
 */
export class Live {
  private readonly listeners = new Set<(message: Message) => void>();
  private readonly events = new EventLog(EVENTS);
  /** Until when somebody watched, if anybody has. */
  private watchedUntil?: string;
  private watch?: Watch;
  private latest?: ClusterStatus;
  /** What is known by that one and those before. */
  private known?: ClusterStatus;
  /** Whether that one is by all hosts. */
  private complete = false;
  private probe?: Probe;
  private operation: Operation | null = null;
  /** Ends when that has, however it came out. */
  private doing: Promise<void> = Promise.resolve();
  private powerTold = "";
  private readonly ticking: NodeJS.Timeout;

  constructor(private readonly options: LiveOptions) {
    this.ticking = setInterval(() => this.tick(), TELL_MS);
  }

  /** Hears what is known at once, then all that is new. @returns a function that ends it. */
  subscribe(listener: (message: Message) => void): () => void {
    if (this.latest && this.watch) listener({ type: "status", data: this.latest });
    for (const data of this.events.all()) listener({ type: "event", data });
    listener({ type: "operation", data: this.operation });
    if (this.options.power) listener({ type: "power", data: this.options.power.states() });
    listener({ type: "probe", data: this.probeReport() ?? null });
    this.listeners.add(listener);
    if (!this.watch) this.beginWatch();
    return () => {
      if (!this.listeners.delete(listener) || this.listeners.size > 0) return;
      this.watch?.stop();
      this.watch = undefined;
      this.latest = undefined;
      this.known = undefined;
      this.complete = false;
      this.watchedUntil = new Date().toISOString();
    };
  }

  private beginWatch(): void {
    void this.catchUp(this.watchedUntil, new Date().toISOString());
    this.watch = new Watch(this.options.cluster, {
      pause: WATCH_PAUSE_MS,
      seen: (status, complete) => this.see(status, complete),
    }).start();
  }

  /** Tells what happened while nobody watched. What came by this server's calls after it began is told already. */
  private async catchUp(since: string | undefined, until: string): Promise<void> {
    // Who cannot be asked is told by the status.
    const { events = [] } = (await this.options.history?.().catch(() => undefined)) ?? {};
    for (const { at, text, source } of events.slice(-EARLIER)) {
      if (at === undefined || at > until) continue;
      if (since !== undefined && (at <= since || source === "api")) continue;
      this.keep({ at, severity: "note", text }, true);
    }
  }

  /** The cluster as it is now. */
  async status(): Promise<ClusterStatus> {
    const { plan, host } = this.options.cluster;
    return this.latest ?? observeStatus(plan, host);
  }

  /** Says something to all listeners, and to those who come later. */
  note(text: string, severity: ClusterEvent["severity"] = "note"): void {
    this.keep({ at: new Date().toISOString(), severity, text });
  }

  /**
   * Does something to the cluster while nothing else is done to it.
   * @param work is given a function that tells what is waited for.
   * @throws Busy if something else is.
   */
  async act<T>(what: string, work: (say: (message: string) => void) => Promise<T>): Promise<T> {
    if (this.operation) {
      throw new Busy(
        `${what}: ${this.operation.what} is under way.`,
        "Try again when it has ended.",
      );
    }
    const tell = (operation: Operation | null) => {
      this.operation = operation;
      this.tell({ type: "operation", data: operation });
    };
    tell({ what, message: "" });
    const doing = this.noted(what, (begun) =>
      work((message) => {
        begun();
        tell({ what, message });
      }),
    );
    this.doing = doing.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await doing;
    } finally {
      tell(null);
    }
  }

  /**
   * Does something whose beginning and failure are events. Where a check speaks against it nothing happens, and that is told
   * to who has asked.
   * @param work is given a function to call when it begins, at the latest when it has ended.
   */
  async noted<T>(what: string, work: (begun: () => void) => Promise<T>): Promise<T> {
    let told = false;
    const begun = () => {
      if (!told) this.note(`Asked for: ${what}.`);
      told = true;
    };
    try {
      const done = await work(begun);
      begun();
      return done;
    } catch (error) {
      if (nothingDone(error)) throw error;
      begun();
      this.note(`${what}: ${(error as Error).message}`, "bad");
      throw error;
    }
  }

  /** Ends when nothing is being done to the cluster any more. */
  settled(): Promise<void> {
    return this.doing;
  }

  /** The probe that writes and reads now; with `true` one is begun if there is none. */
  probing(wanted?: boolean): Probe | undefined {
    if (wanted === true) {
      this.probe ??= new Probe(this.options.probeTarget(), { kept: PROBE_SECONDS }).start();
    } else if (wanted === false) {
      void this.probe?.stop();
      this.probe = undefined;
    }
    return this.probe;
  }

  probeReport(): ProbeReport | undefined {
    return this.probe?.tally.report(now());
  }

  /** Ends everything. */
  close(): void {
    clearInterval(this.ticking);
    this.watch?.stop();
    this.probing(false);
    this.listeners.clear();
  }

  private see(status: ClusterStatus, complete: boolean): void {
    const { known } = this;
    if (known && this.complete) eventsBetween(known, status).forEach((event) => this.keep(event));
    this.known = known ? lastKnown(known, status) : status;
    this.latest = status;
    this.complete = complete;
    this.tell({ type: "status", data: status });
  }

  private keep(event: ClusterEvent, unwatched = false): void {
    this.tell({ type: "event", data: this.events.add(event, unwatched) });
  }

  private tick(): void {
    if (this.listeners.size === 0) return;
    this.tell({ type: "probe", data: this.probeReport() ?? null });
    const { power } = this.options;
    if (!power) return;
    const data = power.states();
    const text = JSON.stringify(data);
    if (text !== this.powerTold) this.tell({ type: "power", data });
    this.powerTold = text;
  }

  private tell(message: Message): void {
    for (const listener of this.listeners) listener(message);
  }
}
