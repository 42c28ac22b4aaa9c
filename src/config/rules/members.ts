import { existingDcs, votersOf } from "../../roles/dcs";
import { hostsOf, ROLES } from "../../roles/roles";
import type { Settings } from "../schema";
import { each, type Report } from "./report";

export function membersDiffer({ cluster }: Settings, report: Report): void {
  // Two roles may have the same list.
  const seen = new Set<string>();
  each(ROLES, (role) => {
    const names = hostsOf(role, cluster);
    each(role.hosts(cluster), ({ path, host }, i) => {
      if (names.indexOf(host) === i || seen.has(path)) return;
      seen.add(path);
      report(`cluster.${path}`, `expected each host once, got "${host}" again. Remove one.`);
    });
  });
}

/** Whoever is given up has no part in the cluster any more: what still names him would wait for him. */
export function removedHaveNoPart({ cluster }: Settings, report: Report): void {
  each(cluster.removed ?? [], (host, i) => {
    const parts = [
      ...ROLES.flatMap((role) => role.hosts(cluster)),
      ...cluster.hooks.map(({ on }, j) => ({ path: `hooks[${j}].on`, host: on })),
    ];
    const named = parts.filter((part) => part.host === host).map(({ path }) => path);
    if (named.length === 0) return;
    const voter = votersOf(cluster).includes(host);
    report(
      `cluster.removed[${i}]`,
      `expected a host that has no part in the cluster any more, got "${host}", which stands in ${[...new Set(named)].join(", ")}. ` +
        (voter
          ? "A host that votes in the DCS cannot be given up yet: bring it back, or a new one by its name and address."
          : "Take it out there, or out of this list."),
    );
  });
}

export function dcsHasMajority({ cluster }: Settings, report: Report): void {
  if (existingDcs(cluster)) return;
  const count = votersOf(cluster).length;
  if (count % 2 === 0) {
    report(
      "cluster.dcs.members",
      `expected an odd number of hosts, got ${count}: they survive no more failures than ${count - 1}. Add or remove one.`,
    );
  } else if (count === 1 && cluster.members.length > 1) {
    report(
      "cluster.dcs.members",
      "expected 3 or more hosts for a cluster of several members, got 1: if it fails, no leader can be elected. Add two.",
    );
  }
}

export function tagsFit({ cluster }: Settings, report: Report): void {
  const names = cluster.members.map(({ host }) => host);
  each(cluster.members, ({ host, tags }, i) => {
    const path = `cluster.members[${i}].tags`;
    if (tags.nofailover && (tags.failover_priority ?? 0) > 0) {
      report(
        `${path}.failover_priority`,
        `expected 0 or nothing beside nofailover, got ${tags.failover_priority}. Remove one of the two.`,
      );
    }
    if (tags.replicatefrom === undefined) return;
    if (tags.replicatefrom === host || !names.includes(tags.replicatefrom)) {
      report(
        `${path}.replicatefrom`,
        `expected another member (${names.filter((name) => name !== host).join(", ")}), got "${tags.replicatefrom}". Mend the name.`,
      );
    } else if (inCircle(host, cluster.members)) {
      report(
        `${path}.replicatefrom`,
        `expected a chain that ends at the leader, got a circle through "${tags.replicatefrom}". Remove one link.`,
      );
    }
  });
  const leaders = cluster.members.filter(({ tags }) => mayLead(tags));
  if (leaders.length === 0) {
    report(
      "cluster.members",
      "expected a member that may lead, got nofailover on all of them. Remove it from one.",
    );
  }
}

type Member = Settings["cluster"]["members"][number];

export function mayLead(tags: Member["tags"]): boolean {
  return !tags.nofailover && tags.failover_priority !== 0;
}

/** Whether whoever follows `replicatefrom` from this member comes back to it. */
function inCircle(host: string, members: readonly Member[]): boolean {
  let at: string | undefined = host;
  for (let steps = 0; steps < members.length; steps++) {
    at = members.find((member) => member.host === at)?.tags.replicatefrom;
    if (at === undefined || at === host) return at === host;
  }
  return false;
}
