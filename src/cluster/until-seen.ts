import type { ClusterStatus } from "../operations/status";
import { waitFor, type Look } from "../operations/wait";
import { describe, type Cluster } from "./cluster";
import { Looks } from "./looks";

const NEXT = "pgherd status, and pgherd logs of the members.";

/** Why no more waiting helps, or what is waited for instead; nothing if it may. */
export type Prospect = Exclude<Look<never>, { done: never }> | undefined;

/** That no more waiting helps; nothing without a reason. */
export function hopeless(why: string | undefined): Prospect {
  return why === undefined ? undefined : { hopeless: why, next: NEXT };
}

/**
 * Looks at the cluster again and again until it is as expected.
 * @param missing what is not as expected yet, in words; nothing if all is.
 * @throws HealthError if that takes too long, or is hopeless.
 */
export function untilSo(
  cluster: Cluster,
  expected: string,
  seconds: number,
  missing: (status: ClusterStatus) => string | undefined,
  prospect: (status: ClusterStatus) => Promise<Prospect> | Prospect = () => undefined,
): Promise<ClusterStatus> {
  const looks = new Looks(cluster);
  return waitFor<ClusterStatus>(
    async () => {
      const status = await looks.look();
      const lacks = missing(status);
      if (lacks === undefined) return { done: status };
      return (await prospect(status)) ?? { missing: lacks };
    },
    {
      expected,
      seconds,
      next: NEXT,
      progress: (message) => cluster.progress(message),
    },
  );
}

/** The same, of what needs no words but those that tell of the members. */
export function untilSeen(
  cluster: Cluster,
  expected: string,
  seconds: number,
  found: (status: ClusterStatus) => boolean,
  prospect?: (status: ClusterStatus) => Promise<Prospect> | Prospect,
): Promise<ClusterStatus> {
  const missing = (status: ClusterStatus) => (found(status) ? undefined : describe(status));
  return untilSo(cluster, expected, seconds, missing, prospect);
}
