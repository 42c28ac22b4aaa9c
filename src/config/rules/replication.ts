import { replicationMode } from "../replication-modes";
import type { Settings } from "../schema";
import type { Report } from "./report";

export function replicationHasReplicas({ cluster }: Settings, report: Report): void {
  const { mode, count, acceptBlocking } = cluster.replication;
  const path = "cluster.replication";
  const { waits, blocks } = replicationMode(cluster);
  if (!waits) {
    if (count > 1) {
      report(
        `${path}.count`,
        `expected nothing for "${mode}", which waits for no replica, got ${count}. Remove it or choose another mode.`,
      );
    }
    return;
  }
  const able = cluster.members.filter(({ tags }) => !tags.nosync).length;
  if (!blocks) {
    if (cluster.members.length > 1 && able < 2) {
      report(
        `${path}.mode`,
        `expected two members without nosync for "${mode}", got ${able}. Remove such a tag.`,
      );
    }
  } else {
    // The leader, those that confirm, and one that may be away.
    const needed = count + (acceptBlocking ? 1 : 2);
    if (able < needed) {
      const blocked =
        able < count + 1 ? "nothing could be written" : "one failure would stop all writes";
      report(
        `${path}.mode`,
        `expected ${needed} or more members without nosync for "${mode}", got ${able}: ${blocked}. ` +
          'Add members or choose "synchronous"' +
          (able < count + 1 ? "." : ", or accept it with replication.acceptBlocking: true."),
      );
    }
    return;
  }
  if (count > 1 && count >= able) {
    report(
      `${path}.count`,
      `expected less than the ${able} members without nosync, got ${count}. Lower it or add members.`,
    );
  }
}
