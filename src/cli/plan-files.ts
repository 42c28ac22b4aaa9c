import pc from "picocolors";
import { withSecrets } from "../plan/secrets";
import type { ClusterPlan, Files } from "../plan/types";

/** A file of the stack as it will stand on a host. */
export interface PlannedFile {
  readonly host: string;
  readonly path: string;
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  /** Passwords in it are replaced by `PASSWORD`. */
  readonly content: string;
}

/** Every file that a run writes, by host and path. What a migration takes from its server is not in them yet. */
export function plannedFiles({ hosts, services, logins }: ClusterPlan): PlannedFile[] {
  const all: readonly (readonly [string, Files])[] = [
    ...hosts.map(({ host, files }) => [host, files] as const),
    ...services.map(
      ({ host, files, secretFiles }) =>
        [host, { ...files, ...withSecrets(secretFiles, () => "PASSWORD") }] as const,
    ),
    ...Object.entries(logins?.files ?? {}),
  ];
  return all
    .flatMap(([host, files]) =>
      Object.entries(files).map(([path, file]) => ({ host, path, ...file })),
    )
    .sort((a, b) => (a.host + a.path < b.host + b.path ? -1 : 1));
}

/** The files as a person reads them, each under a line that says where it stands and whose it is. */
export function renderFiles(files: readonly PlannedFile[]): string {
  return files
    .map(
      ({ host, path, owner, group, mode, content }) =>
        `${pc.bold(`==> ${host}:${path} (${owner}:${group} ${mode})`)}\n${content}`,
    )
    .join("\n");
}
