import type { DcsAddress, Unnamed } from "../../dcs/dcs";

/** A running cluster that goes from one DCS to another. */
export interface MoveInput {
  readonly from: Unnamed<DcsAddress>;
  readonly to: Unnamed<DcsAddress>;
}
