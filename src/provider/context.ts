import { hostname, userInfo } from "node:os";
import type { Host } from "../host/host";
import { resolveTarget, type Inventory } from "../host/target";
import type { EngineLog } from "../rpc/engine";
import { hostClass } from "./interrupt";

/** What a resource works with: the hosts, the display, and order among things that must not happen at once. */
export class Context {
  private readonly hosts = new Map<string, Host>();
  private readonly queues = new Map<string, Promise<unknown>>();
  private readonly done = new Map<string, Promise<unknown>>();
  /** What this run has said already, and need not say again. */
  readonly told = new Set<string>();

  constructor(
    private readonly inventory: Inventory,
    private readonly log: EngineLog,
    /** Hosts that the stack had once: nobody expects them to answer. */
    private readonly former: readonly string[] = [],
    private readonly HostClass = hostClass(),
    /** Hosts that the stack has given up. */
    private readonly removed: readonly string[] = [],
  ) {}

  /**
   * A host of the inventory; the same object, and so the same connection, for all resources. It may be handed on without
   * the context, as what a cluster's verbs take is.
   */
  readonly host = (name: string): Host => {
    let host = this.hosts.get(name);
    if (!host) {
      host = new this.HostClass(name, () => resolveTarget(this.inventory, name), owner());
      this.hosts.set(name, host);
    }
    return host;
  };

  /** The hosts of the stack. */
  hostNames(): string[] {
    return Object.keys(this.inventory.hosts).filter((name) => !this.former.includes(name));
  }

  /** Where the hosts of the stack are. */
  addresses(): string[] {
    return this.hostNames().flatMap((name) => this.inventory.hosts[name]?.address ?? []);
  }

  /** Whether the stack says that the host is gone for good: only then is one that cannot be reached no longer waited for. */
  isRemoved(host: string): boolean {
    return this.removed.includes(host);
  }

  /** Shows what a resource is waiting for, as long as it does. */
  readonly progress = (urn: string, message: string): void => {
    this.log.progress(urn, message);
  };

  /** Tells the user what has been done; it stays on the screen. */
  info(urn: string, message: string): void {
    void this.log.info(urn, message);
  }

  /** Tells the user of something that needs attention. */
  warn(urn: string, message: string): void {
    this.log.warning(urn, message);
  }

  /** Runs pieces of work with the same key one after the other, in the order they come. */
  async oneByOne<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.queues.get(key) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.queues.set(key, turn);
    return turn;
  }

  /** Work that is done once in a run, however many resources want what comes of it: as things were before the first of them. */
  once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const begun = this.done.get(key) ?? work();
    this.done.set(key, begun);
    return begun as Promise<T>;
  }

  /** Ends all connections; what runs on them fails. */
  close(): void {
    for (const host of this.hosts.values()) host.close();
  }
}

function owner(): string {
  const since = new Date().toISOString().slice(11, 19);
  return `${userInfo().username}@${hostname()}, process ${process.pid}, since ${since} UTC`;
}
