import type { DcsAddress, Unnamed } from "../../dcs/dcs";
import type { CarriedRules, Source } from "./source";

/** The server made ready to be taken over, without stopping it. */
export interface AdoptionInputs extends Unnamed<DcsAddress> {
  readonly cluster: string;
  readonly host: string;
  readonly source: Source;
  readonly superuser: string;
  /** Roles that Patroni connects with. */
  readonly roles: {
    readonly superuser: string;
    readonly replication: string;
    readonly rewind: string;
  };
  /** Where the other members keep their data: what an earlier migration has left there is set aside. */
  readonly others: { readonly [host: string]: string };
  /** The lines of pg_hba.conf that Patroni will write, which the server reads once before that. */
  readonly hba?: readonly string[];
  /** PostgreSQL's settings as they will be, by lower-case name. */
  readonly parameters?: { readonly [name: string]: string };
  /** `masked` is wanted: the server is started by Patroni only. */
  readonly unit: string;
}

/** The server led by Patroni. */
export interface TakeoverInputs {
  readonly cluster: string;
  readonly host: string;
  /** Of Patroni's REST API: `10.89.0.11:8008`. */
  readonly endpoint: string;
  readonly port: number;
  readonly systemIdentifier: string;
  /** Settings without which no replica could follow: they need a restart at once. */
  readonly needed: { readonly [name: string]: string };
  readonly carried?: CarriedRules;
}

/** The clients moved from the server's own address to the entry point. */
export interface CutOverInputs {
  readonly cluster: string;
  readonly host: string;
  readonly port: number;
  /** Roles whose sessions are pgherd's and Patroni's own. */
  readonly roles: readonly string[];
  /** Addresses that connections of the cluster itself come from. */
  readonly own: readonly string[];
  /** Seconds that clients have to move. */
  readonly wait: number;
}

/** The server standing alone again, as it was found. */
export interface RollbackInputs extends Unnamed<DcsAddress> {
  readonly cluster: string;
  readonly host: string;
  readonly superuser: string;
  /** Endpoint of Patroni's REST API by host. */
  readonly members: { readonly [host: string]: string };
  readonly port: number;
  /** Roles that only the cluster needs: Patroni's own, and Barman's. */
  readonly roles: readonly string[];
  /** Slots that only the cluster needs: of its other members, and of Barman. */
  readonly slots: readonly string[];
  /** The body of nftables' table until the cluster's daemons are stopped; none where the user wants no rules. */
  readonly rules?: string | null;
}
