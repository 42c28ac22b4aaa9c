import { quote } from "../host/shell";
import type { DcsKeys } from "./dcs";
import { PATRONI_FOLDER } from "../roles/patroni";

// What Patroni keeps of a cluster in the DCS.

/** Where Patroni keeps something of a cluster, below its namespace: the scope, then the name. @param name e.g. `config` */
export function patroniKey(cluster: string, name: string): string {
  return `${cluster}/${name}`;
}

const PROVEN = "pgherd-proven-config";

/**
 * Where pgherd keeps the last configuration that all members have run with, beside Patroni's own keys, of which Patroni reads
 * none that it does not know (patroni/dcs, `_cluster_from_nodes`).
 */
export function provenKey(cluster: string): string {
  return patroniKey(cluster, PROVEN);
}

/**
 * What goes along when a cluster moves to another DCS, by name: whose data it is, its former timelines, who confirms commits, and how
 * far the leader's WAL and its slots are (patroni/dcs/__init__.py, `AbstractDCS`). Who leads and who is there, each Patroni tells
 * anew.
 */
export const STAYS_WITH_CLUSTER = ["initialize", "history", "sync", "status", PROVEN] as const;

/** There from the first moment of a move until its end: whether the cluster was paused before. */
export const MOVE = "pgherd-move";

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
