import type { DcsUpkeep } from "../dcs";
import { etcdctl } from "./etcdctl";

/** Seconds for the database of one member to be written anew: etcd's own limit for it is that of the disk. */
const DEFRAGMENT_SECONDS = 120;

/** What etcd's databases need from time to time. */
export function upkeepAt(endpoints: readonly string[]): DcsUpkeep {
  const etcd = etcdctl(endpoints);
  return {
    compact: () =>
      [
        `revision=$(${etcd} get -w json pgherd | sed -n 's/.*"revision":\\([0-9]*\\).*/\\1/p')`,
        `[ -n "$revision" ] || { echo "expected etcd to tell its revision, it did not" >&2; exit 1; }`,
        `said=$(${etcd} --command-timeout=60s compact --physical "$revision" 2>&1) || case $said in`,
        // By the run before, or by etcd itself.
        `  *"has been compacted"*) ;;`,
        `  *) printf '%s\\n' "$said" >&2; exit 1 ;;`,
        `esac`,
      ].join("\n"),
    defragment: (url) => `${etcdctl([url])} --command-timeout=${DEFRAGMENT_SECONDS}s defrag`,
    takeAlarmsBack: () => `${etcd} alarm disarm`,
    listAlarmsByHand: "sudo etcdctl alarm list",
    listKeysByHand: "sudo etcdctl get --prefix --keys-only ''",
  };
}
