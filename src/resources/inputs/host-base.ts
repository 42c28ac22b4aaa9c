import type { FileInput } from "./files";
import type { TrialInput } from "./preflight";

/** A host made ready for its services, in one package transaction. */
export interface HostBaseInputs {
  readonly cluster: string;
  readonly host: string;
  readonly packages: readonly string[];
  readonly masked: readonly string[];
  readonly files: { readonly [path: string]: FileInput };
  /** Settings of the kernel, by path below `/proc/sys` with dots, or `transparent_hugepage`: all as text. */
  readonly kernel: { readonly [setting: string]: string };
  /** Of a member: what a server is tried with as soon as its packages are there. */
  readonly trial?: TrialInput | null;
}
