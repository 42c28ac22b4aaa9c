/** A resource of the floor: as big as one of the cluster's, and made after as many others. */
export interface FloorResource {
  readonly name: string;
  /** Whether a provider keeps it; else it only holds others together. */
  readonly custom: boolean;
  readonly parent?: string;
  readonly dependsOn: readonly string[];
  readonly inputs: { readonly [key: string]: unknown };
  /** Inputs that are secrets. */
  readonly secrets: readonly string[];
}

/** Names the file with the resources. */
export const RESOURCES_FILE = "PGHERD_BENCH_FLOOR";
