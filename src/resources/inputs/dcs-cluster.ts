import type { DcsVoters, Unnamed } from "../../dcs/dcs";

/** What must hold across the members of the DCS. */
export interface DcsClusterInputs extends Unnamed<DcsVoters> {
  readonly cluster: string;
  /** Alarms that are raised: none, or else the DCS takes no writes (`NOSPACE`) or holds what is damaged (`CORRUPT`). */
  readonly alarms: readonly string[];
  /** Whether who votes stays a voter while he is away; none where the DCS does nothing else. */
  readonly keepsVoters?: boolean;
  /** None where the DCS asks nobody who he is. */
  readonly access?: DcsAccessInput;
}

/** Who may do what in a DCS that asks. */
export interface DcsAccessInput {
  /** In its own words, by the name of a policy and of the token that has it. */
  readonly rights: { readonly [name: string]: string };
  /**
   * Fingerprints of the tokens that are let in, by the same names and `management`: a new one is a change. The first states
   * have none.
   */
  readonly tokens?: { readonly [name: string]: string };
  /** Hosts on which the DCS is asked by an agent of their own, those who vote included. */
  readonly agents: readonly string[];
}

/** That no token of before is let in once nobody uses it any more. */
export interface FormerTokensInputs extends Unnamed<DcsVoters> {
  readonly cluster: string;
  /** As above: of those that are to stay. */
  readonly tokens: { readonly [name: string]: string };
  /** Endpoint of Patroni's REST API by host, which may use one of before until it has read its files again. */
  readonly patroni: { readonly [host: string]: string };
  /** Names of those of before that are still let in; none is wanted. */
  readonly left: readonly string[];
}
