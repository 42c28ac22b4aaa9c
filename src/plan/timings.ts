import type { ClusterSettings } from "../config/schema";

/** How fast a failure is seen and acted on: Patroni's lease and HAProxy's checks, in seconds. */
export interface Timings {
  /** Lease of the leader key: a silent leader is replaced after about this long. */
  readonly ttl: number;
  /** Pause between two rounds of Patroni. */
  readonly loopWait: number;
  /** How long Patroni retries the DCS and PostgreSQL before it gives up. */
  readonly retryTimeout: number;
  /** How long a crashed primary may take to start before another is elected. */
  readonly primaryStartTimeout: number;
  /** HAProxy: pause between checks, and after a first failure or success. */
  readonly inter: number;
  readonly fastinter: number;
  /** HAProxy: failures until a server is out, successes until it is in. */
  readonly fall: number;
  readonly rise: number;
}

/**
 * The timings of a recovery profile.
 *
 * `default` is Patroni's own (ttl 30); `fast` is the shortest that Patroni accepts since 3.2 (ttl 20). HAProxy sees a
 * leader that lost its role within `inter + (fall - 1) * fastinter` seconds, before another can be promoted.
 */
export function timings(failover: ClusterSettings["failover"]): Timings {
  if ("profile" in failover) return PROFILES[failover.profile];
  const inter = Math.max(1, Math.min(3, Math.floor(failover.loopWait / 3)));
  return {
    ...failover,
    primaryStartTimeout: failover.ttl * 2,
    inter,
    fastinter: 1,
    fall: 3,
    rise: 2,
  };
}

const PROFILES: { readonly [profile in "default" | "fast"]: Timings } = {
  default: {
    ttl: 30,
    loopWait: 10,
    retryTimeout: 10,
    primaryStartTimeout: 60,
    inter: 3,
    fastinter: 1,
    fall: 3,
    rise: 2,
  },
  fast: {
    ttl: 20,
    loopWait: 5,
    retryTimeout: 5,
    primaryStartTimeout: 15,
    inter: 1,
    fastinter: 1,
    fall: 3,
    rise: 2,
  },
};
