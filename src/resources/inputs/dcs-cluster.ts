import type { DcsVoters, Unnamed } from "../../dcs/dcs";

/** What must hold across the members of the DCS. */
export interface DcsClusterInputs extends Unnamed<DcsVoters> {
  readonly cluster: string;
  /** Alarms that are raised: none, or else the DCS takes no writes (`NOSPACE`) or holds what is damaged (`CORRUPT`). */
  readonly alarms: readonly string[];
  /** Whether who votes stays a voter while he is away; none where the DCS does nothing else. */
  readonly keepsVoters?: boolean;
  /** Who voted before, by host, with their URLs for clients: they leave later, and until then are no strangers. */
  readonly former?: DcsVoters["members"];
  /** None where the DCS asks nobody who he is. */
  readonly access?: DcsAccessInput;
}

/** Those who voted before and are to leave, once those that the stack names vote. */
export interface FormerVotersInputs extends Unnamed<DcsVoters> {
  readonly cluster: string;
  /** URLs for clients by host. They stay in mind when they have left. */
  readonly former: DcsVoters["members"];
  /** Endpoint of Patroni's REST API by host: each must know of those that stay before those that it knows are gone. */
  readonly patroni: { readonly [host: string]: string };
  /** What the firewalls of all hosts are when they let none of these in any more, by host: bodies of nftables' table. */
  readonly rules: { readonly [host: string]: string };
  /** What they are until then. */
  readonly crossing: { readonly [host: string]: string };
  /** Which of them vote still; none is wanted. */
  readonly voting: readonly string[];
  /** Hosts whose firewalls let them in still; none is wanted. */
  readonly open: readonly string[];
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
