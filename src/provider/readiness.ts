import { describeMembers, isSynchronous, type ClusterView } from "../facts/patroni";
import type { PatroniClusterInputs } from "../resources/inputs/patroni-cluster";
import { isFollowing } from "./cluster-view";

/** What keeps a cluster from being whole, in words; nothing if it is. */
export function notReady(
  view: ClusterView,
  inputs: Pick<PatroniClusterInputs, "members" | "synchronous">,
): string | undefined {
  const up = view.members.filter(({ name }) => isFollowing(view, name));
  const absent = Object.keys(inputs.members).filter((name) => !isFollowing(view, name));
  const timelines = new Set(up.map((member) => member.timeline));
  if (absent.length > 0 || timelines.size > 1) return describeMembers(view);
  const { synchronous } = inputs;
  if (!synchronous) {
    // A mode that is just being left behind still has them for a round of Patroni.
    const still = up.filter(isSynchronous).map(({ name }) => name);
    return still.length > 0 ? `${still.join(", ")} still synchronous` : undefined;
  }
  const standbys = up.filter(({ role }) => role === synchronous.role);
  return standbys.length < synchronous.count
    ? `${standbys.length} of ${synchronous.count} replicas synchronous so far`
    : undefined;
}
