import { z } from "zod";
import { seconds, size } from "./basics";

/** What every way to say the timings has beside them. */
const failoverRules = {
  failsafe: z
    .boolean()
    .optional()
    .describe(
      "Keep the leader while the DCS is away, as long as all members answer it. Default: on from Patroni 4.0.7.",
    ),
  maximumLag: size
    .default("1MB")
    .describe("A replica further behind than this is never promoted by itself."),
  watchdog: z
    .enum(["off", "automatic", "required"])
    .default("automatic")
    .describe(
      "Hardware watchdog that resets a leader that hangs: used where there is one, or required.",
    ),
};

const checkSeconds = z.number().min(0.1).max(60);

/** Of the lease and its rounds: with a longer one a cluster would be without a leader for more than an hour. */
const leaseSeconds = z.int().min(1).max(3600);

const checks = z.strictObject({
  interval: checkSeconds.describe("Seconds between two checks of a member."),
  fastInterval: checkSeconds.describe("Seconds after a first failure or success."),
  downInterval: checkSeconds
    .optional()
    .describe("Seconds between two checks of a member that is out. Default: `fastInterval`."),
  timeout: checkSeconds.describe("Seconds until a check without an answer has failed."),
  fall: z.int().min(1).max(100).describe("Failures until a member is out."),
  rise: z.int().min(1).max(100).describe("Successes until a member is in."),
});

const failoverProfile = z
  .strictObject({
    profile: z
      .enum(["default", "fast", "aggressive"])
      .describe("Patroni's timings and HAProxy's checks together; see docs/durability.md."),
    ...failoverRules,
  })
  .describe("By a ready-made profile:");

const failoverTimings = z
  .strictObject({
    ttl: leaseSeconds.describe(
      "Lease of the leader: a silent one is replaced after about this long.",
    ),
    loopWait: leaseSeconds.describe("Seconds between two rounds of Patroni."),
    retryTimeout: leaseSeconds.describe("Seconds for which the DCS and PostgreSQL are retried."),
    primaryStartTimeout: seconds
      .optional()
      .describe("Seconds that a crashed primary has to start. Default: twice ttl."),
    checks: checks.optional().describe("HAProxy's checks. Default: fitted to ttl and loopWait."),
    ...failoverRules,
  })
  .describe("Or by timings of your own:");

export const failover = z.union([failoverProfile, failoverTimings]);
