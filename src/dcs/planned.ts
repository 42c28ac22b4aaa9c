import type { DcsKind } from "../roles/dcs";
import type { SecretName } from "../roles/roles";
import { consulPlanned } from "./consul/planned";
import { etcdPlanned } from "./etcd/planned";

/** What files on the hosts say of a DCS. Pure text: no host is asked. */
export interface PlannedDcs {
  readonly kind: DcsKind;
  /** The first Patroni whose failsafe mode can be relied on with it: `4.0.7`. */
  readonly failsafeSince: string;
  /** The token by which Patroni is let in, and the block of its settings that has it; none where nobody is asked who he is. */
  readonly patroniToken?: { readonly block: string; readonly secret: SecretName };
  /**
   * Patroni's settings of how it reaches the DCS: `etcd3:` and the lines below it.
   * @param registers whether it tells the DCS what each member is, for those who look for a primary or a replica there.
   */
  patroniSettings(endpoints: readonly string[], registers?: boolean): string;
  script(endpoints: readonly string[]): DcsScript;
  /** Template of the script that has the member on the primary's host give the lead away; none where a DCS cannot. */
  readonly giveLeadAway?: string;
}

/** What a script of a host's own asks of a DCS, in words of the shell. `$key` and `$revision` are the script's. */
interface DcsScript {
  readonly kind: DcsKind;
  /** Where it asks: `http://10.89.0.11:2379,http://10.89.0.12:2379`. */
  readonly endpoints: string;
  /** Lines that make it ready to ask. */
  readonly begin: string;
  /** A command that prints what is known of `$key`, and fails where nobody answers. */
  readonly read: string;
  /** The pattern of what that prints for a key that is there and has no value. */
  readonly empty: string;
  /** The filter that prints the key's revision out of it. */
  readonly revision: string;
  /** A command that deletes `$key` if its revision is still `$revision`; it fails where nobody answers. */
  readonly release: string;
}

const KINDS: { readonly [kind in DcsKind]: PlannedDcs } = {
  etcd: etcdPlanned,
  consul: consulPlanned,
};

export function plannedDcs(kind: DcsKind): PlannedDcs {
  return KINDS[kind];
}
