import type { DcsVoters, Unnamed } from "../../dcs/dcs";

/** What must hold across the members of the DCS. */
export interface DcsClusterInputs extends Unnamed<DcsVoters> {
  readonly cluster: string;
  /** Alarms that are raised: none, or else the DCS takes no writes (`NOSPACE`) or holds what is damaged (`CORRUPT`). */
  readonly alarms: readonly string[];
}
