import type { Settings } from "../config/schema";
import {
  distributionOf,
  forMajor,
  packageManager,
  packageOf,
} from "../distributions/distributions";
import { packagedUnits, rolesOn, type Role } from "../roles/roles";
import { isSource, reaches } from "../migration/steps";
import { script } from "./script";
import { kernelFiles, planKernel } from "./system";
import type { Files, HostPlan } from "./types";

/** How each host that has a part in the cluster is prepared. */
export function planHosts(settings: Settings): HostPlan[] {
  const { cluster } = settings;
  const { version } = cluster.postgresql;
  const ours = oursToRestart(cluster);
  const firewall = cluster.firewall === false ? [] : [packageOf("nftables", cluster)];
  return partners(settings).map((host): HostPlan => {
    const roles = rolesOn(cluster, host);
    const database = roles.some((role) => role.database);
    // A host that serves clients keeps its kernel, and its server its unit, until it is a member like the others.
    const untouched = isSource(settings, host) && !reaches(settings, "cutOver");
    const kernel = untouched ? {} : planKernel(settings, host);
    return {
      host,
      packages: [
        ...new Set([...firewall, ...roles.flatMap((role) => packagesFor(role, cluster))]),
      ].sort(),
      // That of a migrated server is masked when it is adopted.
      masked:
        database && !isSource(settings, host)
          ? distributionOf(cluster).masked.map((unit) => forMajor(unit, version))
          : [],
      files: {
        ...ours,
        ...(database ? NO_CLUSTER_BY_PACKAGE : {}),
        ...(untouched ? {} : kernelFiles(settings, host, kernel)),
      },
      kernel,
    };
  });
}

/**
 * Neither an upgrade of a package nor needrestart, which looks after it for programs that are gone from the disk, restarts
 * what the cluster runs: on a host without some of these units there is nothing to keep.
 */
function oursToRestart(cluster: Settings["cluster"]): Files {
  const units = packagedUnits(cluster);
  return {
    ...script(packageManager.policy, "packages/policy-rc.d.sh", { units }),
    "/etc/needrestart/conf.d/pgherd.conf": {
      mode: "0644",
      owner: "root",
      group: "root",
      content: `# Written by pgherd.\n$nrconf{override_rc}{qr(^(${units.join("|")}|pgherd-.*)\\.service$)} = 0;\n`,
    },
  };
}

/** The package would make and start a cluster of its own where Patroni's data belongs. */
const NO_CLUSTER_BY_PACKAGE: Files = {
  "/etc/postgresql-common/createcluster.conf": {
    mode: "0644",
    owner: "root",
    group: "root",
    content: "# Written by pgherd.\ncreate_main_cluster = false\n",
  },
};

function packagesFor({ software, packages }: Role, cluster: Settings["cluster"]): string[] {
  const all = software(cluster).map((one) => packageOf(one, cluster));
  return [...all, ...(packages?.(cluster) ?? [])];
}

/** The hosts that have a part in the cluster, in the order of `pgherd:hosts`. */
function partners({ hosts, cluster }: Settings): string[] {
  return Object.keys(hosts).filter((host) => rolesOn(cluster, host).length > 0);
}
