import { words } from "../../host/shell";
import type { DcsJoining } from "../dcs";
import { etcdctl } from "./etcdctl";

/** How a member of etcd that has lost its data comes in again: under a new id, which the others are told of before it starts. */
export function joiningAt(endpoints: readonly string[]): DcsJoining {
  return {
    // A start that failed leaves an empty database there.
    remains: (dataDirectory) => `${dataDirectory}/member`,
    addMember: (name, peerUrl) =>
      `${etcdctl(endpoints)} member add ${words([name])} --peer-urls=${words([peerUrl])}`,
    removeMember: (id) => `${etcdctl(endpoints)} member remove ${words([id])}`,
    // It outlives a reboot, because a start without it would begin a cluster anew; the unit removes it after a start.
    joinOrder: {
      path: "/var/lib/pgherd/etcd-join.env",
      content: "ETCD_INITIAL_CLUSTER_STATE=existing\n",
    },
  };
}
