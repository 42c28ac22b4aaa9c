import type { PatroniClusterInputs } from "./patroni-cluster";

/** Members that leave a running cluster, and what there is of the cluster without them. */
export interface DepartureInputs extends Pick<
  PatroniClusterInputs,
  "cluster" | "members" | "port" | "neverLead" | "synchronous" | "rolling" | "balancers" | "dcs"
> {
  /** Endpoint of Patroni's REST API where they were members, by host: `{ db3: "10.89.0.13:8008" }`. */
  readonly leaving: { readonly [member: string]: string };
  /** Of the members those that the cluster has not had yet. */
  readonly joining: readonly string[];
}
