import type { ClusterStatus } from "../operations/status";
import { waitFor } from "../operations/wait";
import { describe, type Cluster } from "./cluster";
import { Looks } from "./looks";

const NEXT = "pgherd status, and pgherd logs of the members.";

/**
 * Looks at the cluster again and again until it is as expected.
 * @param hopeless why no more waiting helps; nothing if it may.
 * @throws HealthError if that takes too long, or is hopeless.
 */
export function untilSeen(
  cluster: Cluster,
  expected: string,
  seconds: number,
  found: (status: ClusterStatus) => boolean,
  hopeless: (status: ClusterStatus) => string | undefined = () => undefined,
): Promise<ClusterStatus> {
  const looks = new Looks(cluster);
  return waitFor<ClusterStatus>(
    async () => {
      const status = await looks.look();
      if (found(status)) return { done: status };
      const why = hopeless(status);
      return why === undefined ? { missing: describe(status) } : { hopeless: why, next: NEXT };
    },
    {
      expected,
      seconds,
      next: NEXT,
      progress: (message) => cluster.progress(message),
    },
  );
}
