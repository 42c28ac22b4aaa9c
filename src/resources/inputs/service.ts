import type { DcsVoters, Unnamed } from "../../dcs/dcs";
import type { DirectoryInput, FileInput } from "./files";
import type { MoveInput } from "./move";

/** A unit as a user wants to see it in a preview. */
interface ServiceUnit {
  /** `active` is wanted. */
  readonly active: string;
  /** `enabled` is wanted. */
  readonly enabled: string;
  /** `loaded` is wanted; `outdated` if it runs with another configuration than the one on disk. */
  readonly configuration: string;
}

/** One daemon on one host: its directories, files and unit, brought about together. */
export interface ServiceInputs {
  readonly cluster: string;
  readonly host: string;
  /** The name of a role. */
  readonly daemon: string;
  readonly directories: { readonly [path: string]: DirectoryInput };
  readonly files: { readonly [path: string]: FileInput };
  readonly unit: ServiceUnit;
  /** For the DCS only, of whatever kind: what the members must know of each other. The states of all stacks call it so. */
  readonly etcd?: DcsMemberInput;
  /** For Patroni only, while the cluster goes to another DCS. */
  readonly move?: MoveInput;
}

/** A member of the DCS, as far as the others must be looked at before it is changed. */
export interface DcsMemberInput extends Unnamed<DcsVoters> {
  readonly peerUrl: string;
  readonly dataDirectory: string;
  /** Of a member that comes to a DCS that runs: URLs for clients of all who were there before, by host. */
  readonly joins?: DcsVoters["members"];
}
