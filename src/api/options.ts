import type { Cluster } from "../cluster/cluster";
import type { History } from "../cluster/history";
import type { ProbeTarget } from "../probe/probe";
import type { Live } from "./live";
import type { PowerSwitch } from "./power";

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
  /** In a lab only. */
  readonly power?: PowerSwitch;
}
