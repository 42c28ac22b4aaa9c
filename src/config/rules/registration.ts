import { ownDcsOf, registersService } from "../../roles/dcs";
import type { Settings } from "../schema";
import type { Report } from "./report";

/** That what Consul's DNS is to tell can be asked for. */
export function registrationFits({ cluster }: Settings, report: Report): void {
  const { name } = cluster;
  const dcs = ownDcsOf(cluster, "consul");
  if (!dcs) return;
  if (registersService(cluster)) {
    if (!name.endsWith("-")) return;
    // RFC 1123, 2.1. All else that a cluster's name may have a label may have too.
    report(
      "cluster.dcs.registerService",
      `expected a name of the cluster that can stand in DNS, got "${name}", which ends in a hyphen. Leave the registration out, or name a new cluster otherwise.`,
    );
  } else if (dcs.dnsFor === "clients") {
    report(
      "cluster.dcs.dnsFor",
      "expected registerService as well: without it Consul's DNS does not run. Set it, or remove dnsFor.",
    );
  }
}
