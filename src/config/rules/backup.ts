import { longestGapDays, windowDays } from "../schedule";
import type { Settings } from "../schema";
import { each, type Report } from "./report";

/** A backup must outlive what is lost with a database host. */
export function backupsAreApart({ cluster }: Settings, report: Report): void {
  const { backup, members } = cluster;
  if (!backup || backup.onDatabaseHost) return;
  if (!members.some(({ host }) => host === backup.host)) return;
  report(
    "cluster.backup.host",
    `expected a host that is no member, got "${backup.host}": what destroys it would take the database and its backups. ` +
      "Choose another host, or accept it with backup.onDatabaseHost: true.",
  );
}

/** The next backup must come before the last one is too old. */
export function backupsOutlast({ cluster: { backup } }: Settings, report: Report): void {
  if (!backup) return;
  const gap = longestGapDays(backup.schedule);
  if (windowDays(backup.retention) >= gap) return;
  report(
    "cluster.backup.retention",
    `expected ${gap} DAYS or more, since up to ${gap} days lie between two backups of "${backup.schedule}", got "${backup.retention}". ` +
      "Keep them longer, or take them more often.",
  );
}

export function checksHaveDatabases({ cluster }: Settings, report: Report): void {
  const { backup, postgresql } = cluster;
  if (!backup || !backup.verify) return;
  const databases = postgresql.databases.map(({ name }) => name);
  each(backup.verify.checks, ({ database }, i) => {
    if (database === "postgres" || databases.includes(database)) return;
    report(
      `cluster.backup.verify.checks[${i}].database`,
      `expected one of postgresql.databases (${databases.join(", ") || "there is none"}), got "${database}". Mend the name.`,
    );
  });
}

export function bootstrapFits({ cluster }: Settings, report: Report): void {
  const { bootstrap } = cluster.postgresql;
  if (!bootstrap) return;
  if (!bootstrap.backup) {
    const [kind = ""] = Object.keys(bootstrap.target ?? {});
    if (["xid", "name"].includes(kind)) {
      report(
        "cluster.postgresql.bootstrap.backup",
        `expected the backup to begin with, since a ${kind} alone does not tell when it was, got nothing. \`pgherd backup list\` of that cluster shows them.`,
      );
    }
  }
  if (bootstrap.cluster === cluster.name) {
    report(
      "cluster.postgresql.bootstrap.cluster",
      `expected another cluster, got "${bootstrap.cluster}" itself. \`pgherd restore\` brings a cluster back in place.`,
    );
  }
  if (cluster.members.some(({ host }) => host === bootstrap.host)) {
    report(
      "cluster.postgresql.bootstrap.host",
      `expected a host of another cluster, got the member "${bootstrap.host}". Mend the name.`,
    );
  }
}
