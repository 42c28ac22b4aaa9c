import { setTimeout as sleep } from "node:timers/promises";
import {
  askHost,
  assembleStatus,
  hostsToAsk,
  type ClusterStatus,
  type HostAnswer,
} from "../operations/status";
import type { Cluster } from "./cluster";
import { PATIENCE_MS, silence } from "./looks";

interface WatchOptions {
  /** Milliseconds between an answer of a host and the next question. */
  readonly pause: number;
  /**
   * Called with each status, which is new or tells of the same.
   * @param complete whether every host has answered by now, or has been found out of reach: before that one that is slow to
   * let in is told as silent, and its first answer is no news.
   */
  readonly seen: (status: ClusterStatus, complete: boolean) => void;
}

/**
 * Watches a cluster: each host is asked again and again on its own, so that one that is away keeps no news of the
 * others back.
 */
export class Watch {
  private readonly answers = new Map<string, HostAnswer>();
  private readonly answered = new Set<string>();
  private readonly stopped = new AbortController();

  constructor(
    private readonly cluster: Cluster,
    private readonly options: WatchOptions,
  ) {}

  start(): this {
    for (const host of hostsToAsk(this.cluster.plan)) void this.ask(host);
    return this;
  }

  stop(): void {
    this.stopped.abort();
  }

  private async ask(name: string): Promise<void> {
    const { plan, host } = this.cluster;
    while (!this.stopped.signal.aborted) {
      const answering = askHost(plan, name, host(name));
      const silent = setTimeout(() => this.take(name, silence(name)), PATIENCE_MS);
      const answer = await answering;
      clearTimeout(silent);
      this.answered.add(name);
      this.take(name, answer);
      await sleep(this.options.pause, undefined, { signal: this.stopped.signal }).catch(() => {});
    }
  }

  private take(name: string, answer: HostAnswer): void {
    if (this.stopped.signal.aborted) return;
    this.answers.set(name, answer);
    const { plan } = this.cluster;
    const hosts = hostsToAsk(plan);
    // Nothing is told before every host has had its turn: who has not been asked yet would seem to be away.
    if (this.answers.size < hosts.length) return;
    const status = assembleStatus(plan, [...this.answers.values()], new Date());
    this.options.seen(status, this.answered.size === hosts.length);
  }
}
