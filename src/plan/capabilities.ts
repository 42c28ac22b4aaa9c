import { replicationMode } from "../config/replication-modes";
import type { Settings } from "../config/schema";
import { timings } from "../config/timings";
import type { DcsKind } from "../dcs/dcs";
import { plannedDcs } from "../dcs/planned";
import { packageOf } from "../distributions/distributions";
import type { VersionRule } from "../resources/inputs/preflight";
import { ROLES } from "../roles/roles";
import { compareVersions } from "../versions";

/** What differs between the versions of Patroni that pgherd works with: 3.0 to 4.x. */
export interface Capabilities {
  /** Whether failsafe mode can be relied on with this DCS. */
  readonly failsafe: boolean;
  /** Whether the slot of a member that is away is kept (member_slots_ttl, 4.0.0). */
  readonly keepsMemberSlots: boolean;
}

/** @param patroni its version: `4.0.7` */
export function capabilities(patroni: string, dcs: DcsKind): Capabilities {
  return {
    failsafe: compareVersions(patroni, plannedDcs(dcs).failsafeSince) >= 0,
    keepsMemberSlots: compareVersions(patroni, "4.0.0") >= 0,
  };
}

/** The first Patroni that runs a version of PostgreSQL (docs/releases.rst). */
const FIRST_PATRONI: { readonly [postgresql: number]: string } = {
  16: "3.0.3",
  17: "4.0.0",
  18: "4.0.7",
};

/** The least that Patroni accepts since 3.2.0; it raises smaller values and says so only in its log. */
const LEAST_TTL = 20;
const LEAST_RETRY_TIMEOUT = 3;

/** What the settings need of the programs on the hosts: a version that would silently ignore one of them is refused. */
export function versionRules({ cluster }: Settings): VersionRule[] {
  const { failover, members, postgresql } = cluster;
  const rules: VersionRule[] = ROLES.filter((role) => role.hosts(cluster).length > 0).flatMap(
    ({ leastVersion: least }) =>
      least
        ? [
            {
              package: packageOf(least.software, cluster),
              atLeast: least.version,
              setting: ["pgherd:cluster", least.setting].filter(Boolean).join("."),
              reason: "Use newer package sources.",
            },
          ]
        : [],
  );
  const patroni = packageOf("patroni", cluster);
  const { since } = replicationMode(cluster);
  if (since !== undefined) {
    rules.push({
      package: patroni,
      atLeast: since,
      setting: `pgherd:cluster.replication.mode: "${cluster.replication.mode}"`,
      reason:
        'An older one would silently replicate asynchronously. Choose "synchronous" or "strict", or newer package sources.',
    });
  }
  const { ttl, retryTimeout } = timings(failover);
  if (ttl < LEAST_TTL || retryTimeout < LEAST_RETRY_TIMEOUT) {
    rules.push({
      package: patroni,
      below: "3.2.0",
      setting:
        "profile" in failover
          ? `pgherd:cluster.failover.profile: "${failover.profile}"`
          : `pgherd:cluster.failover: ttl ${ttl}, retryTimeout ${retryTimeout}`,
      reason: `A newer one would silently use ttl ${LEAST_TTL} and retryTimeout ${LEAST_RETRY_TIMEOUT} at least. Choose the profile "fast".`,
    });
  }
  members.forEach(({ tags }, i) => {
    if (tags.failover_priority !== undefined) {
      rules.push({
        package: patroni,
        atLeast: "3.2.0",
        setting: `pgherd:cluster.members[${i}].tags.failover_priority`,
        reason: "An older one would silently ignore it. Use nofailover, or newer package sources.",
      });
    }
  });
  const first = FIRST_PATRONI[postgresql.version];
  if (first) {
    rules.push({
      package: patroni,
      atLeast: first,
      setting: `pgherd:cluster.postgresql.version: ${postgresql.version}`,
      reason: "An older one cannot run it. Choose an older PostgreSQL, or newer package sources.",
    });
  }
  return rules;
}
