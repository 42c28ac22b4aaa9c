import type { Source } from "./source";

/** A read-only look at the server that is to be migrated. */
export interface SurveyInputs {
  readonly cluster: string;
  /** The host on which it runs. */
  readonly host: string;
  readonly port: number;
  readonly version: number;
  readonly superuser: string;
  /** The other members, each with the packages that it has or gets. */
  readonly others: { readonly [host: string]: readonly string[] };
  /** Where the others will keep their data. */
  readonly dataDirectory: string;
  /** Whether commits are to wait for a replica even where there is none. */
  readonly strict: boolean;
  /** Steps that the migration goes through: each looks anew, as long as nothing has been changed. */
  readonly steps: readonly string[];
  /** Where what was found is kept from the first change on: from then on that counts. */
  readonly keptOn: readonly string[];
  /** What backups of the cluster will use on its leader; absent where there are none. */
  readonly backup?: BackupNames;
  /** How the members stream from it, where they follow it as a standby cluster. */
  readonly stream?: StreamInput;
}

/** What Barman uses on a server. */
interface BackupNames {
  readonly roles: readonly string[];
  readonly slot: string;
}

/** How the members of a standby cluster stream from the old server. */
export interface StreamInput {
  readonly address: string;
  readonly port: number;
  /** The role that they log in as. */
  readonly role: string;
  readonly password: string;
  /** Addresses that they come from, by member. */
  readonly from: { readonly [member: string]: string };
}

/** What a migration will do to the server. Read-only: it is told, nothing is done. */
export interface MigrationReportInputs {
  readonly cluster: string;
  readonly host: string;
  readonly superuser: string;
  readonly source: Source;
  /** PostgreSQL's settings as they will be, by lower-case name. */
  readonly parameters: { readonly [name: string]: string };
  /** Settings without which no replica could follow: they need a restart at once. */
  readonly needed: { readonly [name: string]: string };
  /** The members where the data is copied to. */
  readonly others: readonly string[];
  /** Bytes per second that a copy may take; 0: no limit. */
  readonly maxRate: number;
  readonly method: "adopt" | "standbyCluster";
  readonly keptOn: readonly string[];
  /** Ports of the host that are for the cluster alone from the first step on; absent where the user wants no rules. */
  readonly newPorts?: readonly number[] | null;
  /** Lines of pg_hba.conf that reject clients by addresses which nobody sees through the load balancers. */
  readonly voidRules?: readonly string[];
}
