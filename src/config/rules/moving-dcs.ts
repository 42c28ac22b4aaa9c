import { formerDcs } from "../../roles/dcs";
import type { Settings } from "../schema";
import type { Report } from "./report";

/** That a cluster can be in both the DCS that it comes from and the one that it moves to. */
export function moveFits({ cluster }: Settings, report: Report): void {
  const { dcs, migration } = cluster;
  const former = formerDcs(cluster);
  if (!former) return;
  const path = "cluster.dcs.movedFrom";
  const given = [dcs, former].filter((one) => "endpoints" in one).length;
  if (given === 2) {
    report(
      path,
      "expected one of the two to be a DCS that pgherd deploys, got two with endpoints: each member has one place for what a DCS of others lets it in with. Move by one of pgherd's own.",
    );
  } else if (given === 0 && dcs.kind === former.kind) {
    report(
      path,
      `expected another kind of DCS than the new one, or one with endpoints, got ${former.kind} twice: both would be the same daemon on a host. Adding and removing its members is not supported on a running cluster yet.`,
    );
  }
  if (migration && (migration.rollback || migration.until !== "cutOver")) {
    report(
      path,
      `expected a server's migration to be over, got one on its way to "${migration.until}". Move the cluster after \`until: cutOver\`, or before you begin.`,
    );
  }
}
