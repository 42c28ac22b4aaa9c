import { quote } from "../host/shell";
import type { DcsKeys } from "./dcs";
import { PATRONI_FOLDER } from "../roles/patroni";

// What Patroni keeps of a cluster in the DCS.

/** Where Patroni keeps something of a cluster, below its namespace: the scope, then the name. @param name e.g. `config` */
export function patroniKey(cluster: string, name: string): string {
  return `${cluster}/${name}`;
}

/**
 * Where pgherd keeps the last configuration that all members have run with, beside Patroni's own keys, of which Patroni reads
 * none that it does not know (patroni/dcs, `_cluster_from_nodes`).
 */
export function provenKey(cluster: string): string {
  return patroniKey(cluster, "pgherd-proven-config");
}

/** Tells all members which database the cluster's is, before the first of them starts: none will make another one. */
export function claimDatabase(dcs: DcsKeys, cluster: string, systemIdentifier: string): string {
  const key = patroniKey(cluster, "initialize");
  return `${dcs.setAbsentKey(key, systemIdentifier)}
found=$(${dcs.printKey(key)})
if [ "$found" != ${quote(systemIdentifier)} ]; then
  echo "the DCS says that the data of cluster ${cluster} has the system identifier '$found', the server's is "${quote(systemIdentifier)}". If that cluster is gone for good, remove it there: patronictl -c ${PATRONI_FOLDER} remove ${cluster}" >&2
  exit 1
fi`;
}

/** Writes down again whose data the cluster has. */
export function rememberDatabase(dcs: DcsKeys, cluster: string, systemIdentifier: string): string {
  return dcs.setKey(patroniKey(cluster, "initialize"), systemIdentifier);
}

/** Has the members begin with a new copy: the DCS knows of no database any more, unless it has learned of another. */
export function forgetDatabase(dcs: DcsKeys, cluster: string, revision: string): string {
  return dcs.deleteKey(patroniKey(cluster, "initialize"), revision);
}

/** Goes on with a script only if the DCS knows of no database of the cluster. */
export function unlessDatabase(dcs: DcsKeys, cluster: string): string {
  return `found=$(${dcs.printKey(patroniKey(cluster, "initialize"))})
[ -z "$found" ] || exit 0`;
}

/**
 * Forgets at one moment all that Patroni has written down of a cluster: the next one begins anew.
 * @param configuration whether the settings stay that all members follow, for the one that begins.
 */
export function forgetCluster(
  dcs: DcsKeys,
  cluster: string,
  configuration: "kept" | "forgotten",
): string {
  return dcs.deleteKeys(
    patroniKey(cluster, ""),
    configuration === "kept" ? patroniKey(cluster, "config") : undefined,
  );
}
