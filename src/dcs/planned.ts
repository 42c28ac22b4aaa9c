import type { DcsKind } from "../roles/dcs";
import type { SecretName } from "../roles/roles";
import type { DcsPlace } from "./dcs";
import { consulPlanned } from "./consul/planned";
import { etcdPlanned } from "./etcd/planned";

/** What files on the hosts say of a DCS. Pure text: no host is asked. */
export interface PlannedDcs {
  readonly kind: DcsKind;
  /** The first Patroni whose failsafe mode can be relied on with it: `4.0.7`. */
  readonly failsafeSince: string;
  /** Templates of the files by which a host is let in to one that somebody else runs, by what they are for. */
  readonly given: { readonly [file in "login" | "header" | "environment"]?: string };
  /** The secret by which Patroni is let in, and the setting that has it; none where nobody is asked who he is. */
  patroniSecret(dcs: PatroniDcs): PatroniSecret | undefined;
  /** Patroni's settings of how it reaches the DCS: `etcd3:` and the lines below it. */
  patroniSettings(dcs: PatroniDcs): string;
  /**
   * Where Patroni asks as long as it runs, in a word; the rest it reads again, or learns by asking (patroni/dcs/etcd.py,
   * patroni/dcs/consul.py, `reload_config`).
   */
  readAtStart(place: Pick<DcsPlace, "endpoints">): string;
  script(place: DcsPlace): DcsScript;
  /** Whether it takes out voters who are away unless it is told not to (`DcsForgetting`). */
  readonly forgetsVoters?: true;
  /** Template of the script that has the member on the primary's host give the lead away; none where a DCS cannot. */
  readonly giveLeadAway?: string;
}

/** A DCS as Patroni is told of it. */
export interface PatroniDcs extends DcsPlace {
  /** Whether Patroni tells the DCS what each member is, for those who look for a primary or a replica there. */
  readonly registers?: boolean;
  /** Of one that is there already: what the stack says it is let in by. */
  readonly identity?: {
    readonly username?: string;
    readonly ca: boolean;
    readonly certificate: boolean;
    /** Whether everybody is let in, without a token. */
    readonly anonymous: boolean;
  };
}

interface PatroniSecret {
  readonly block: string;
  readonly setting: string;
  readonly secret: SecretName;
  /** Whether what is generated becomes an identifier of Consul's. */
  readonly uuid: boolean;
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
