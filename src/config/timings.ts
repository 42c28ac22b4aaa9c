import type { ClusterSettings } from "./schema";

/** How fast a failure is seen and acted on: Patroni's lease and HAProxy's checks, in seconds. */
interface Timings {
  /** Lease of the leader key: a silent leader is replaced after about this long. */
  readonly ttl: number;
  /** Pause between two rounds of Patroni. */
  readonly loopWait: number;
  /** How long Patroni retries the DCS and PostgreSQL before it gives up. */
  readonly retryTimeout: number;
  /** How long a crashed primary may take to start before another is elected. */
  readonly primaryStartTimeout: number;
  readonly checks: Checks;
}

/** How HAProxy looks at a member, in seconds. */
export interface Checks {
  readonly interval: number;
  /** After a first failure or success. */
  readonly fastInterval: number;
  /** While the member is out: each of them keeps writers waiting for a new primary. @default fastInterval */
  readonly downInterval?: number;
  /** A check without an answer fails after this long. */
  readonly timeout: number;
  /** Failures until a member is out. */
  readonly fall: number;
  /** Successes until a member is in. */
  readonly rise: number;
}

const PATIENT: Checks = { interval: 3, fastInterval: 1, timeout: 3, fall: 3, rise: 2 };
/** One answer is enough here: it comes from who holds the lease, and each further one keeps writers out for an interval. */
const BRISK: Checks = {
  interval: 1,
  fastInterval: 1,
  downInterval: 0.3,
  timeout: 2,
  fall: 3,
  rise: 1,
};
const SHORT: Checks = { ...BRISK, fastInterval: 0.5, timeout: 1, fall: 2 };

/**
 * Recovery profiles. `default` is Patroni's own; `fast` is the shortest lease that Patroni accepts since 3.2 (ttl 20,
 * patroni/config.py, _validate_and_adjust_timeouts), with a look every 3 s, since a crash of PostgreSQL is not seen
 * before; `aggressive` is for older ones, on a network that never stutters.
 */
export const PROFILES: { readonly [profile in "default" | "fast" | "aggressive"]: Timings } = {
  default: { ttl: 30, loopWait: 10, retryTimeout: 10, primaryStartTimeout: 60, checks: PATIENT },
  fast: { ttl: 20, loopWait: 3, retryTimeout: 5, primaryStartTimeout: 15, checks: BRISK },
  aggressive: { ttl: 5, loopWait: 1, retryTimeout: 2, primaryStartTimeout: 10, checks: SHORT },
};

/**
 * Patroni takes etcd's leader key only while a second of `retry_timeout` is left after it has renewed its lease
 * (patroni/dcs/etcd3.py, attempt_to_acquire_leader): with 1 nobody would ever be elected.
 */
export const LEAST_RETRY_TIMEOUT = 2;

/** The timings that the settings ask for. */
export function timings(failover: ClusterSettings["failover"]): Timings {
  if ("profile" in failover) return PROFILES[failover.profile];
  const { ttl, loopWait, retryTimeout, primaryStartTimeout = 2 * ttl, checks } = failover;
  const fitting = [PATIENT, BRISK, SHORT].find((one) => secondsToNotice(one) <= ttl - loopWait);
  return { ttl, loopWait, retryTimeout, primaryStartTimeout, checks: checks ?? fitting ?? SHORT };
}

/** Seconds until HAProxy sends nobody to a member that has just stopped answering, at worst. */
export function secondsToNotice({ interval, fastInterval, timeout, fall }: Checks): number {
  // Connecting may take as long as the interval, an answer as long as the timeout (HAProxy's manual, "timeout check").
  return interval + fall * Math.max(interval, timeout) + (fall - 1) * fastInterval;
}
