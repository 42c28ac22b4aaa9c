import { votersOf } from "../../roles/dcs";
import type { Settings } from "../schema";
import { mayLead } from "./members";
import type { Report } from "./report";

export function migrationFits(settings: Settings, report: Report): void {
  const { cluster } = settings;
  const { migration, hooks } = cluster;
  if (!migration) {
    hooks.forEach((hook, i) => {
      if (hook.when === "cutOver")
        report(
          `cluster.hooks[${i}].when`,
          'expected "before" or "after", got "cutOver", which only a migration has. Choose another, or set pgherd:cluster.migration.',
        );
    });
    return;
  }
  if (migration.method === "standbyCluster") standbyFits(settings, migration.from, report);
  else adoptionFits(cluster, migration.from, report);
}

/** The server is one of the members. */
function adoptionFits({ members }: Settings["cluster"], from: string, report: Report): void {
  const names = members.map(({ host }) => host);
  const source = members.find(({ host }) => host === from);
  if (!source) {
    report(
      "cluster.migration.from",
      `expected one of pgherd:cluster.members (${names.join(", ")}), got "${from}". Mend the name.`,
    );
  } else if (!mayLead(source.tags) || source.tags.replicatefrom !== undefined) {
    report(
      "cluster.migration.from",
      `expected a member that may lead, got "${from}" with tags that forbid it. Remove them until it is migrated.`,
    );
  }
  if (members.length < 2) {
    report(
      "cluster.members",
      `expected other members beside ${from}, got none. Add the new hosts.`,
    );
  }
}

/** The server is on a host that has no part in the cluster. */
function standbyFits({ hosts, cluster }: Settings, from: string, report: Report): void {
  const { members, loadBalancers, backup } = cluster;
  if (!hosts[from]) {
    report(
      "cluster.migration.from",
      `expected one of pgherd:hosts (${Object.keys(hosts).join(", ")}), got "${from}". Add the host of the old server there.`,
    );
  }
  const parts = [
    ...members.map(({ host }) => host),
    ...votersOf(cluster),
    ...(loadBalancers?.hosts ?? []),
    ...(backup ? [backup.host] : []),
  ];
  if (parts.includes(from)) {
    report(
      "cluster.migration.from",
      `expected a host without a part in the cluster, got "${from}", which has one. Use other hosts, or the method adopt.`,
    );
  }
  if (cluster.postgresql.bootstrap) {
    report(
      "cluster.postgresql.bootstrap",
      "expected nothing, since the data comes from pgherd:cluster.migration.from. Remove it.",
    );
  }
}
