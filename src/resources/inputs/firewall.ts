import type { DcsVoters, Unnamed } from "../../dcs/dcs";

/** Which packets a host lets in. */
export interface FirewallInputs {
  readonly cluster: string;
  readonly host: string;
  /** The body of nftables' table `inet pgherd`, as the plan writes it. */
  readonly rules: string;
  /** What it is again once this is taken away, on the host of a server that is migrated. */
  readonly beginning?: string | null;
  /** What it is before that, while those who voted in the DCS before do so still. */
  readonly crossing?: Crossing | null;
  /** `active` is wanted; `changed` if the rules in the kernel are others, `absent` if there are none. */
  readonly loaded: string;
  /** `enabled` is wanted: the rules come back with the host. */
  readonly enabled: string;
}

/** The time in which those who vote in the DCS and those who did before must reach each other. */
export interface Crossing extends Unnamed<DcsVoters> {
  /** Which packets all hosts let in meanwhile. */
  readonly rules: string;
  /** URLs for clients, by host, of those who voted before. */
  readonly former: DcsVoters["members"];
}

/**
 * Which packets the host of a server that is migrated lets in from the first step on: once the firewall has been closed,
 * what that lets in.
 */
export interface NewPortsInputs extends FirewallInputs {
  readonly beginning: string;
}
