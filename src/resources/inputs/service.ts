import type { DirectoryInput, FileInput } from "./files";

/** A unit as a user wants to see it in a preview. */
export interface ServiceUnit {
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
  /** For etcd only: what the members must know of each other. */
  readonly etcd?: EtcdMemberInput;
}

/** An etcd member, as far as the others must be looked at before it is changed. */
export interface EtcdMemberInput {
  readonly peerUrl: string;
  readonly dataDirectory: string;
  /** Client URL by host, this member's included: `{ db1: "http://10.89.0.11:2379" }`. */
  readonly members: { readonly [host: string]: string };
}
