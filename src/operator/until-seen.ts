import type { ClusterStatus } from "../operations/status";
import { waitFor } from "../operations/wait";
import { describe, type Cluster } from "./cluster";
import { Looks } from "./looks";

/** Looks at the cluster again and again until it is as expected. @throws HealthError if that takes too long. */
export function untilSeen(
  cluster: Cluster,
  expected: string,
  seconds: number,
  found: (status: ClusterStatus) => boolean,
): Promise<ClusterStatus> {
  const looks = new Looks(cluster);
  return waitFor<ClusterStatus>(
    async () => {
      const status = await looks.look();
      return found(status) ? { done: status } : { missing: describe(status) };
    },
    {
      expected,
      seconds,
      next: "pgherd status, and pgherd logs of the members.",
      progress: (message) => cluster.progress(message),
    },
  );
}
