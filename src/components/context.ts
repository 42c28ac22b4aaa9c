import type * as pulumi from "@pulumi/pulumi";
import type { MigrationStep, Settings } from "../config/schema";
import type { ClusterPlan, MigratedPlan } from "../plan/types";
import type { CarriedRules, Source } from "../migration/inputs/source";

/** What each part of a cluster is made with. */
export interface Context {
  /** What the names of its resources begin with: those of two clusters of one program differ in it. */
  readonly prefix: string;
  /** The cluster's name on its hosts. */
  readonly cluster: string;
  readonly settings: Settings;
  readonly plan: ClusterPlan;
  /** Of resources, and of components. */
  readonly child: pulumi.CustomResourceOptions;
  readonly components: pulumi.ComponentResourceOptions;
}

/** The server that is migrated as it was found, and what is planned from that; nothing where none is. */
export interface Found {
  readonly source?: pulumi.Output<Source>;
  readonly migrated?: pulumi.Output<MigratedPlan>;
}

/** The server's lines of pg_hba.conf and pg_ident.conf as PostgreSQL understands them. */
export function carriedRules({ hbaRows, identRows }: Source): CarriedRules {
  return { hbaRows, identRows };
}

/** Patroni's dynamic configuration. */
export type Configuration = { readonly [key: string]: unknown };

/** Whether the cluster is to be brought as far as this step of a migration. */
export function reaches({ plan }: Context, step: MigrationStep): boolean {
  return plan.steps.includes(step);
}
