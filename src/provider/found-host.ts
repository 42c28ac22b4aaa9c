import type { FoundRestore } from "../facts/restore-record";
import { SocketAddress, isIPv6 } from "node:net";
import type { HostFacts } from "../facts/host";
import type { ClosedPort } from "../facts/reach";
import type { Owner } from "../distributions/distributions";
import type { Requirement } from "../resources/inputs/preflight";

/** A host as the preflight saw it. */
export interface FoundHost {
  readonly host: string;
  readonly requirement: Requirement;
  readonly facts: HostFacts;
  /** Whose the DCS's data is. */
  readonly dcsUser: Owner;
  /** Versions that could be installed, by package, of those that are not. */
  readonly candidates: { readonly [name: string]: string };
  /** Installed versions by package. */
  readonly installed: { readonly [name: string]: string };
  /** Ports of other hosts that it must reach and cannot. */
  readonly closed: readonly ClosedPort[];
  /** The host's clock against the controller's, in seconds, and by how much that may be wrong either way. */
  readonly clock: { readonly offset: number; readonly uncertainty: number };
  /** From where it sees us come, where it is known and matters. */
  readonly loginFrom?: string;
  /** The restore in place that it is in the middle of. */
  readonly restore?: FoundRestore;
}

/** Whether a host belongs to no cluster yet: then what is found on it is not pgherd's. */
export function isFresh({ facts }: FoundHost): boolean {
  return facts.cluster === "";
}

/** The version of a package as it is installed, or else as it would be; nothing where the host does not need it. */
export function versionOn(
  { requirement, installed, candidates }: FoundHost,
  name: string,
): string | undefined {
  return requirement.packages.includes(name) ? (installed[name] ?? candidates[name]) : undefined;
}

/** Whether two texts are the same IP address: `fd00:0:0::1` is `fd00::1`. */
export function sameAddress(a: string, b: string): boolean {
  return canonical(a) === canonical(b);
}

function canonical(address: string): string {
  return isIPv6(address) ? new SocketAddress({ address, family: "ipv6" }).address : address;
}
