import { longestGapDays, windowDays } from "../schedule";
import type { Settings } from "../schema";
import type { Report } from "./report";

/** A backup must outlive what is lost with a database host, and the next one must come before it is too old. */
export function backupsOutlast({ cluster }: Settings, report: Report): void {
  const { backup, members, postgresql } = cluster;
  if (backup) {
    if (!backup.onDatabaseHost && members.some(({ host }) => host === backup.host)) {
      report(
        "cluster.backup.host",
        `expected a host that is no member, got "${backup.host}": what destroys it would take the database and its backups. ` +
          "Choose another host, or accept it with backup.onDatabaseHost: true.",
      );
    }
    const gap = longestGapDays(backup.schedule);
    const kept = windowDays(backup.retention);
    if (kept < gap) {
      report(
        "cluster.backup.retention",
        `expected ${gap} DAYS or more, since up to ${gap} days lie between two backups of "${backup.schedule}", got "${backup.retention}". ` +
          "Keep them longer, or take them more often.",
      );
    }
    const databases = postgresql.databases.map(({ name }) => name);
    (backup.verify ? backup.verify.checks : []).forEach(({ database }, i) => {
      if (database !== "postgres" && !databases.includes(database)) {
        report(
          `cluster.backup.verify.checks[${i}].database`,
          `expected one of postgresql.databases (${databases.join(", ") || "there is none"}), got "${database}". Mend the name.`,
        );
      }
    });
  }
  const { bootstrap } = postgresql;
  if (bootstrap && members.some(({ host }) => host === bootstrap.host)) {
    report(
      "cluster.postgresql.bootstrap.host",
      `expected a host of another cluster, got the member "${bootstrap.host}". Mend the name.`,
    );
  }
  if (bootstrap && !bootstrap.backup) {
    const [kind = ""] = Object.keys(bootstrap.target ?? {});
    if (["xid", "name"].includes(kind)) {
      report(
        "cluster.postgresql.bootstrap.backup",
        `expected the backup to begin with, since a ${kind} alone does not tell when it was, got nothing. \`pgherd backup list\` of that cluster shows them.`,
      );
    }
  }
  if (bootstrap && bootstrap.cluster === cluster.name) {
    report(
      "cluster.postgresql.bootstrap.cluster",
      `expected another cluster, got "${bootstrap.cluster}" itself. \`pgherd restore\` brings a cluster back in place.`,
    );
  }
}
