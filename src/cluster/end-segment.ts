import { psql } from "../facts/postgres";
import { endSegment } from "../operations/restore";
import type { Cluster } from "./cluster";

/**
 * Ends the segment in which a timeline has begun. Where several have begun in one, the leader keeps no whole file of the
 * first (access/transam/xlog.c, CleanupAfterArchiveRecovery renames it), and members that are behind, or are copied from a
 * backup, wait for what it cannot send until they get the whole segment from the archive.
 */
export async function endFirstSegment(
  {
    plan,
    host,
  }: { readonly plan: Pick<Cluster["plan"], "patroni">; readonly host: Cluster["host"] },
  leader: string,
): Promise<void> {
  await host(leader).change("ending the segment", endSegment(psql(plan.patroni.port, "postgres")));
}
