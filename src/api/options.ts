import type { Cluster } from "../cluster/cluster";
import type { ForkRules } from "../cluster/forks";
import type { RestorableCluster, RestoreRequest } from "../cluster/restore-plan";
import type { History } from "../cluster/history";
import type { ProbeTarget } from "../probe/probe";
import type { Live } from "./live";
import type { PowerSwitch } from "./power";

/** What restores need to know of the stack. */
export interface Restores {
  of(cluster: Cluster): Promise<RestorableCluster>;
  /** What is wished for, in the words of the command line. @throws UsageError if it makes no sense */
  requestOf(query: {
    readonly targetTime?: string;
    readonly targetXid?: string;
    readonly targetLsn?: string;
    readonly targetName?: string;
    readonly latest?: boolean;
    readonly targetTimeline?: string;
    readonly backup?: string;
    readonly tablespace?: string | readonly string[];
  }): RestoreRequest;
}

export interface ApiOptions {
  readonly live: Live;
  /** The cluster's members. */
  readonly members: readonly string[];
  /** The daemons of each host, in the words of `pgherd logs --daemon`: `{ db1: ["patroni", "etcd"] }`. */
  readonly daemons: { readonly [host: string]: readonly string[] };
  /** What has changed the cluster, as far as somebody has written it down. */
  history(): Promise<History>;
  /**
   * Opens connections of their own for one change, so that the hosts' locks end with it.
   * @param verb shown to whoever finds a host locked.
   */
  open(verb: string, say: (message: string) => void): Cluster & { close(): void };
  probeTarget(): ProbeTarget;
  readonly forks: ForkRules;
  /** Where the stack has backups. */
  readonly restores?: Restores;
  /** Given when the server is to stop: a restore that is under way is taken back then. */
  readonly ending?: AbortSignal;
  /** In a lab only. */
  readonly power?: PowerSwitch;
}
