import { configurationHash } from "../configuration-hash";
import type { ClusterPlan } from "../plan/types";
import type { ServiceFilesInput } from "../resources/inputs/preflight";

/** Daemons of which a preview tells first what becomes of them; Barman touches nothing that runs. */
const TOLD = ["patroni", "haproxy", "keepalived", "etcd"];

/** What services are made from, passwords apart, by `daemon` and host. */
export function serviceFiles({ services }: ClusterPlan) {
  const found: { [daemon: string]: { [host: string]: ServiceFilesInput } } = {};
  for (const { daemon, host, files } of services) {
    if (!TOLD.includes(daemon)) continue;
    (found[daemon] ??= {})[host] = { paths: Object.keys(files), hash: configurationHash(files) };
  }
  return found;
}
