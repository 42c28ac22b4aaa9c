import type { ClusterSettings } from "../config/schema";

/** Where a member keeps its data. */
export function dataDirectory({ postgresql }: ClusterSettings): string {
  return postgresql.dataDirectory ?? `/var/lib/postgresql/${postgresql.version}/main`;
}
