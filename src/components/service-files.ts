import { createHash } from "node:crypto";
import type { ClusterPlan, Files } from "../plan/types";
import type { ServiceFilesInput, Source } from "../resources/inputs";

/** Daemons of which the database's resource tells first what becomes of them; Barman touches nothing that runs. */
const TOLD = ["patroni", "haproxy", "keepalived", "etcd"];

/** What services are made from, passwords apart, by `daemon` and host. */
export function serviceFiles({ services }: ClusterPlan, source: Source | undefined) {
  const found: { [daemon: string]: { [host: string]: ServiceFilesInput } } = {};
  for (const { daemon, host, files, migratedFiles } of services) {
    if (!TOLD.includes(daemon)) continue;
    const all = (source && migratedFiles?.(source)) ?? files;
    (found[daemon] ??= {})[host] = { paths: Object.keys(all), hash: contentHash(all) };
  }
  return found;
}

function contentHash(files: Files): string {
  const hash = createHash("sha256");
  for (const { content } of Object.values(files)) hash.update(content).update("\0");
  return hash.digest("hex");
}
