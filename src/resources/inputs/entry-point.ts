/** What clients connect to: exactly one holder of the virtual IP, and every balancer leading to the leader. */
export interface EntryPointInputs {
  readonly cluster: string;
  readonly hosts: readonly string[];
  /** Where clients connect: `["10.89.0.100"]`. */
  readonly addresses: readonly string[];
  /** Virtual addresses, all held by the same balancer. */
  readonly vips: readonly string[];
  readonly ports: { readonly [entrance: string]: number };
  readonly statsPort: number;
}
