import type { Settings } from "../schema";
import { LEAST_RETRY_TIMEOUT, secondsToNotice, timings } from "../timings";
import type { Report } from "./report";

export function timingsFit({ cluster }: Settings, report: Report): void {
  if ("profile" in cluster.failover) return;
  const { ttl, loopWait, retryTimeout } = cluster.failover;
  if (retryTimeout < LEAST_RETRY_TIMEOUT) {
    report(
      "cluster.failover.retryTimeout",
      `expected ${LEAST_RETRY_TIMEOUT} or more, got ${retryTimeout}: with ${cluster.dcs.kind}, Patroni would never elect a new leader. Raise it.`,
    );
  }
  // Patroni 3.2 and newer would only warn and shorten the others (patroni/config.py, _validate_and_adjust_timeouts).
  if (loopWait + 2 * retryTimeout > ttl) {
    report(
      "cluster.failover",
      `expected loopWait + 2 × retryTimeout ≤ ttl, got ${loopWait} + 2 × ${retryTimeout} > ${ttl}. Raise ttl or lower the others.`,
    );
  }
}

/** A leader that hangs just before it renews its lease has `ttl - loopWait` seconds left of it. */
export function balancersNoticeInTime({ cluster }: Settings, report: Report): void {
  if (!cluster.loadBalancers) return;
  const { ttl, loopWait, checks } = timings(cluster.failover);
  const needed = secondsToNotice(checks);
  if (needed > ttl - loopWait) {
    report(
      "cluster.failover.checks",
      `expected HAProxy to leave a silent leader within ttl - loopWait = ${ttl - loopWait} s, before another can be promoted, ` +
        `got ${round(needed)} s (interval + fall × the longer of interval and timeout + (fall - 1) × fastInterval). ` +
        "Shorten the checks or raise ttl.",
    );
  }
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
