import type { FileInput } from "./files";

/** Logins by key from one host to another, each for one command only. */
export interface LoginsInputs {
  readonly cluster: string;
  readonly links: readonly LinkInput[];
  /** The commands themselves, by host and path. */
  readonly files: { readonly [host: string]: { readonly [path: string]: FileInput } };
}

/** A user of one host may log in as a user of another one, for a command that sshd runs whatever is asked for. */
export interface LinkInput {
  readonly from: string;
  /** Where the host `from` comes from: the key is good for nobody else. */
  readonly fromAddress: string;
  readonly fromUser: string;
  readonly to: string;
  readonly toUser: string;
  /** Where the host `to` is reached. */
  readonly address: string;
  readonly port: number;
  readonly command: string;
}
