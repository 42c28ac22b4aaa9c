import type { MigrationStep, Settings } from "../config/schema";

/** The order of the steps, as `MIGRATION_STEPS` of the settings has it. */
const ORDER: readonly MigrationStep[] = [
  "prepared",
  "adopted",
  "replicated",
  "balanced",
  "backedUp",
  "cutOver",
];

/** Whether a cluster is to be brought as far as this step; one that is not migrated is always brought to the end. */
export function reaches({ cluster }: Settings, step: MigrationStep): boolean {
  const { migration } = cluster;
  return !migration || ORDER.indexOf(step) <= ORDER.indexOf(migration.until);
}

/** The steps of a migration as far as it is to go. */
export function stepsOf(settings: Settings): MigrationStep[] {
  return ORDER.filter((step) => reaches(settings, step));
}

/** Whether the members follow a server that stays outside, instead of taking it over. */
export function isFollowing({ cluster }: Settings): boolean {
  return cluster.migration?.method === "standbyCluster";
}

/** Whether this host has the server that is migrated. */
export function isSource({ cluster }: Settings, host: string): boolean {
  return cluster.migration?.from === host;
}

/** The settings of what a migration has come to: before their step there are no backups. */
export function soFar(settings: Settings): Settings {
  if (reaches(settings, "backedUp")) return settings;
  return { ...settings, cluster: { ...settings.cluster, backup: undefined } };
}
