import type { DcsKind } from "../roles/dcs";
import { etcdPlanned } from "./etcd/planned";

/** What files on the hosts say of a DCS. Pure text: no host is asked. */
export interface PlannedDcs {
  readonly kind: DcsKind;
  /** The files of one who votes, by path. */
  memberFiles(member: PlannedMember): { readonly [path: string]: TemplateFile };
  /** The first Patroni whose failsafe mode can be relied on with it: `4.0.7`. */
  readonly failsafeSince: string;
  /** Patroni's settings of how it reaches the DCS: `etcd3:` and the lines below it. */
  patroniSettings(endpoints: readonly string[]): string;
  script(endpoints: readonly string[]): DcsScript;
  /** Template of the script that has the member on the primary's host give the lead away; none where a DCS cannot. */
  readonly giveLeadAway?: string;
}

/** One who votes, as far as its files say it. */
interface PlannedMember {
  readonly name: string;
  readonly dataDirectory: string;
  /** `http://10.89.0.11:2379` */
  readonly clientUrl: string;
  readonly clientPort: number;
  /** Where each of them is reached by the others, by name, its own included. */
  readonly peerUrls: { readonly [name: string]: string };
  /** Tells the members of one DCS from those of another. */
  readonly token: string;
  /** Bytes that the database may have. */
  readonly quota: number;
  /** For how long old values stay: `1h`. */
  readonly compaction: string;
}

/** A file that anybody may read, and root may write. */
interface TemplateFile {
  /** Without its ending: `etcd/etcd.env`. */
  readonly template: string;
  readonly values: object;
}

/** What a script of a host's own asks of a DCS, in words of the shell. `$key` and `$revision` are the script's. */
interface DcsScript {
  readonly kind: DcsKind;
  /** Where it asks: `http://10.89.0.11:2379,http://10.89.0.12:2379`. */
  readonly endpoints: string;
  /** A line that makes it ready to ask. */
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

const KINDS: { readonly [kind in DcsKind]: PlannedDcs } = { etcd: etcdPlanned };

export function plannedDcs(kind: DcsKind): PlannedDcs {
  return KINDS[kind];
}
