import type { DcsAddress, Unnamed } from "../../dcs/dcs";
import type { AdoptionInputs } from "./adoption";
import type { CarriedRules, Source } from "./source";

/** What all resources of a standby cluster know of it, which follows an old server until it takes its place. */
export interface StandbyInputs {
  readonly cluster: string;
  /** The old server's host. */
  readonly host: string;
  /** Where the old server listens. */
  readonly port: number;
  readonly superuser: string;
  /** The slot that keeps WAL for the cluster on the old server. */
  readonly slot: string;
  /** Endpoint of Patroni's REST API by host: `{ db1: "10.89.0.11:8008" }`. */
  readonly members: { readonly [host: string]: string };
  /** PostgreSQL's, on the members. */
  readonly memberPort: number;
  /** The DCS, and a host that can speak to it. */
  readonly dcs: Unnamed<DcsAddress> & { readonly host: string };
}

/** The old server made ready to be followed: what was found is kept, and from then on all WAL. */
export interface StandbySlotInputs extends StandbyInputs {
  readonly source: Source;
  /** Where the members keep their data: what an earlier migration has left there is set aside. */
  readonly dataDirectory: string;
  /** `reserved` is wanted: the slot is there and has lost nothing. */
  readonly state: string;
}

/** The members, as they follow the old server. */
export interface StandbyClusterInputs extends StandbyInputs {
  readonly systemIdentifier: string;
  readonly carried?: CarriedRules;
  /** Bytes that nobody may be behind. */
  readonly maximumLag: number;
  /** Whether the cluster is to take the old server's place in this run. */
  readonly promotes: boolean;
}

/** The cluster in the old server's place. */
export interface PromotionInputs extends StandbyInputs {
  readonly source: Source;
  readonly roles: AdoptionInputs["roles"];
  /** Where it shows that clients reach the new leader; none without load balancers. */
  readonly balancers: { readonly hosts: readonly string[]; readonly statsPort: number };
}

/** The old server alone again, and the members out of service. */
export type StandbyRollbackInputs = StandbyInputs;
