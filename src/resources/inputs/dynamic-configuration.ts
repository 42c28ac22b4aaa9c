import type { DcsAddress, Unnamed } from "../../dcs/dcs";
import type { MoveInput } from "./move";

/** The configuration that all members follow, kept in the DCS. */
export interface DynamicConfigurationInputs extends Unnamed<DcsAddress> {
  readonly cluster: string;
  /** A host that can speak to the DCS. */
  readonly host: string;
  /** https://patroni.readthedocs.io/en/latest/dynamic_configuration.html */
  readonly configuration: { readonly [key: string]: unknown };
  /** What stands in it beside that when it is first written, and is later changed by others than this. */
  readonly beginning?: { readonly [key: string]: unknown };
  /** Endpoint of Patroni's REST API by host: those who read it, once they run. */
  readonly members: { readonly [host: string]: string };
  /** Of PostgreSQL on them. */
  readonly port: number;
  /** While the cluster goes to this DCS from another. */
  readonly move?: MoveInput;
}
