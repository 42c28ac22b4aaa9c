import type { DcsAddress, Unnamed } from "../../dcs/dcs";
import type { DatabaseInput, RoleInput } from "./database";
import type { MoveInput } from "./move";
import type { CarriedRules } from "../../migration/inputs/source";

/** What of a cluster tells what an update does to its members and to what is in the database. */
export interface UpdateReportInputs {
  readonly cluster: string;
  /** Endpoint of Patroni's REST API by host: `{ db1: "10.89.0.11:8008" }`. */
  readonly members: { readonly [host: string]: string };
  readonly port: number;
  /** The dynamic configuration that every member must have loaded; found: a setting that one has not, by that. */
  readonly configuration: { readonly [key: string]: unknown };
  /** Members on which something waits for a restart of PostgreSQL: none is wanted. */
  readonly pendingRestart: readonly string[];
  /** Members that no switchover may choose. */
  readonly neverLead: readonly string[];
  /** The leader that restarts in place, because clients still connect to it alone; null: a switchover comes first. */
  readonly leaderStays: string | null;
  readonly rolling: RollingInput;
  readonly roles: readonly RoleInput[];
  readonly databases: readonly DatabaseInput[];
}

/** What exists only across the members: a leader with its replicas, roles and databases. */
export interface PatroniClusterInputs extends UpdateReportInputs {
  /** Where the dynamic configuration is kept, and a host that may reach it. */
  readonly dcs: Unnamed<DcsAddress> & { readonly host: string };
  /** Seconds that the first member has to become the leader. */
  readonly firstStartSeconds: number;
  /** Which replicas must be there for writes to be safe: at least `count` with this role; null: none. */
  readonly synchronous: { readonly role: string; readonly count: number } | null;
  /** Of the members' own files: when they change, something may wait for a restart of PostgreSQL. */
  readonly filesHash: string;
  /** What the members' servers have not loaded of their files, or could not: nothing is wanted. */
  readonly unloaded: readonly string[];
  /** Where a member is drained before its restart. */
  readonly balancers: {
    readonly hosts: readonly string[];
    /** HAProxy's proxies that lead to replicas. */
    readonly entrances: readonly string[];
    readonly statsPort: number;
  };
  /** By role, Patroni's own included. */
  readonly passwords: { readonly [role: string]: string };
  /** Of a migrated cluster. */
  readonly carried?: CarriedRules;
  /** While the cluster goes to this DCS from another. */
  readonly move?: MoveInput;
}

/** How carefully members are restarted one after the other. */
export interface RollingInput {
  /** Bytes: a replica further behind takes over nothing and ends the roll. */
  readonly maximumLag: number;
  /** Seconds that a transaction may have been open when its member is restarted. */
  readonly longestTransaction: number;
  /** Seconds that sessions of a replica have to end by themselves. */
  readonly drain: number;
  /** Seconds to wait for the above before the roll ends. */
  readonly wait: number;
}
