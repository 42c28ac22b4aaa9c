import { etcdctl } from "../facts/etcd";
import { hereDocument, words } from "../host/shell";
import { moveBesideWithTime } from "./directories";

/**
 * Sets a key, but only if nobody has changed it since it was read: a lost race is an error, not an overwritten value.
 * @param revision of the value that was read; "0" if there was none.
 */
export function setKey(
  endpoints: readonly string[],
  key: string,
  value: string,
  revision: string,
): string {
  const transaction = `mod(${JSON.stringify(key)}) = ${JSON.stringify(revision)}\n\nput ${JSON.stringify(key)} ${JSON.stringify(value)}\n\n\n`;
  return `answer=$(${etcdctl(endpoints)} txn ${hereDocument(transaction)}) || exit 1\ncase "$answer" in SUCCESS*) ;; *) echo "somebody else changed ${key} at the same moment; run again" >&2; exit 1;; esac`;
}

/**
 * Read by etcd's unit besides its settings, and removed by it once the member has started: tells a member without a log
 * to join a cluster that is there. It outlives a reboot, because a start without it would begin a cluster anew.
 */
export const JOIN_FILE = "/var/lib/pgherd/etcd-join.env";

/** Takes a member out of the membership, by its id in hexadecimal digits. */
export function removeMember(endpoints: readonly string[], id: string): string {
  return `${etcdctl(endpoints)} member remove ${words([id])}`;
}

/** Adds a member that is not started yet. */
export function addMember(endpoints: readonly string[], name: string, peerUrl: string): string {
  return `${etcdctl(endpoints)} member add ${words([name])} --peer-urls=${words([peerUrl])}`;
}

/** Moves away what a member without a log has left: a start that failed leaves an empty database behind. */
export function setAsideRemains(dataDirectory: string): string {
  return moveBesideWithTime("etcd", `${dataDirectory}/member`, "without-log");
}

/** Forgets all values but the present ones, and waits until their place in the database is free. */
export function forgetHistory(endpoints: readonly string[]): string {
  const etcd = etcdctl(endpoints);
  return [
    `revision=$(${etcd} get -w json pgherd | sed -n 's/.*"revision":\\([0-9]*\\).*/\\1/p')`,
    `[ -n "$revision" ] || { echo "expected etcd to tell its revision, it did not" >&2; exit 1; }`,
    `said=$(${etcd} --command-timeout=60s compact --physical "$revision" 2>&1) || case $said in`,
    // By the run before, or by etcd itself.
    `  *"has been compacted"*) ;;`,
    `  *) printf '%s\\n' "$said" >&2; exit 1 ;;`,
    `esac`,
  ].join("\n");
}

/** Seconds for the database of one member to be written anew: etcd's own limit for it is that of the disk. */
const DEFRAGMENT_SECONDS = 120;

/** Writes a member's database anew without what is free in it. The member answers nobody meanwhile. */
export function defragmentMember(url: string): string {
  return `${etcdctl([url])} --command-timeout=${DEFRAGMENT_SECONDS}s defrag`;
}

/** Takes all alarms back. The one of a database that is still full comes back with the next write. */
export function takeAlarmsBack(endpoints: readonly string[]): string {
  return `${etcdctl(endpoints)} alarm disarm`;
}
