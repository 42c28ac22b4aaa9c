import { quote, words } from "../../host/shell";
import type { DcsJoining } from "../dcs";
import { etcdctl } from "./etcdctl";

/**
 * How members of etcd come and go: one that comes does so under a new id, which the others are told of before it starts, and
 * as a learner, so that nobody waits for it as long as it has not caught up (https://etcd.io/docs/v3.5/learning/design-learner).
 */
export function joiningAt(endpoints: readonly string[]): DcsJoining {
  return {
    // A start that failed leaves an empty database there.
    remains: (dataDirectory) => `${dataDirectory}/member`,
    addMember: (name, peerUrl) =>
      `${etcdctl(endpoints)} member add ${words([name])} --learner --peer-urls=${words([peerUrl])}`,
    promoteMember: (id) => `${etcdctl(endpoints)} member promote ${words([id])}`,
    removeMember: (id) => `${etcdctl(endpoints)} member remove ${words([id])}`,
    handOver: (id) => `${etcdctl(endpoints)} move-leader ${words([id])}`,
    // It outlives a reboot, because a start without it fails; the unit removes it after a start.
    beginning: (peers, state) => ({
      path: "/var/lib/pgherd/etcd-join.env",
      content: `ETCD_INITIAL_CLUSTER=${quote(
        Object.entries(peers)
          .map(([name, url]) => `${name}=${url}`)
          .join(","),
      )}\nETCD_INITIAL_CLUSTER_STATE=${state}\n`,
    }),
  };
}
