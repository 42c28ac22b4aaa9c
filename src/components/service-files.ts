import { createHash } from "node:crypto";
import type { ClusterPlan, Files } from "../plan/types";
import type { ServiceFilesInput } from "../resources/inputs";

/** Daemons of which a preview tells first what becomes of them; Barman touches nothing that runs. */
const TOLD = ["patroni", "haproxy", "keepalived", "etcd"];

/** What services are made from, passwords apart, by `daemon` and host. */
export function serviceFiles({ services }: ClusterPlan) {
  const found: { [daemon: string]: { [host: string]: ServiceFilesInput } } = {};
  for (const { daemon, host, files } of services) {
    if (!TOLD.includes(daemon)) continue;
    (found[daemon] ??= {})[host] = { paths: Object.keys(files), hash: contentHash(files) };
  }
  return found;
}

function contentHash(files: Files): string {
  const hash = createHash("sha256");
  for (const { content } of Object.values(files)) hash.update(content).update("\0");
  return hash.digest("hex");
}
