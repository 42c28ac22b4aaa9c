import type { DcsAddress, Unnamed } from "../../dcs/dcs";
import type { FileInput } from "./files";

/** A DCS that somebody else runs, and that the cluster is let in to. */
export interface ExistingDcsInputs extends Unnamed<DcsAddress> {
  readonly cluster: string;
  /** The cluster's members. */
  readonly hosts: readonly string[];
  /** Those of them that get an answer from it: all. */
  readonly answered: readonly string[];
  /** What each of them is let in with, by path. */
  readonly files: { readonly [path: string]: FileInput };
  /** Seconds of the leader's lease. */
  readonly ttl: number;
  /** The first of its versions that pgherd works with. */
  readonly leastVersion: string;
  /** Whether a cluster that runs comes to it from another one. */
  readonly arrives?: true;
  /** Where members have their data, if they have any; absent where that is not known before a server is migrated. */
  readonly data?: { readonly dataDirectory: string; readonly binDirectory: string };
}
