import { configurationHash } from "../configuration-hash";
import type { ClusterPlan } from "../plan/types";
import type { ServiceFilesInput } from "../resources/inputs/preflight";
import { roleNamed } from "../roles/roles";

/** What services are made from whose changes may be felt, passwords apart, by `daemon` and host. */
export function serviceFiles({ services }: ClusterPlan) {
  const found: { [daemon: string]: { [host: string]: ServiceFilesInput } } = {};
  for (const { daemon, host, files } of services) {
    if (!roleNamed(daemon).felt) continue;
    (found[daemon] ??= {})[host] = { paths: Object.keys(files), hash: configurationHash(files) };
  }
  return found;
}
