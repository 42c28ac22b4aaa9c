import type { Settings } from "../config/schema";
import { isSource, reaches } from "./migration-steps";
import { script } from "./script";
import { kernelFiles, planKernel } from "./system";
import type { Daemon, Files, HostPlan } from "./types";

/** The daemons that run on a host. */
export function daemonsOn({ cluster }: Settings, host: string): Daemon[] {
  const balancers = cluster.loadBalancers;
  const daemons: [Daemon, boolean][] = [
    ["etcd", cluster.dcs.members.includes(host)],
    ["patroni", cluster.members.some((member) => member.host === host)],
    ["haproxy", balancers?.hosts.includes(host) ?? false],
    [
      "keepalived",
      (balancers && balancers.vip.length > 0 && balancers.hosts.includes(host)) ?? false,
    ],
    ["barman", cluster.backup?.host === host],
  ];
  return daemons.filter(([, runs]) => runs).map(([daemon]) => daemon);
}

/** curl asks the daemon on the host itself, which spares the start of a larger program for every question. */
function packagesFor(daemon: Daemon, { cluster }: Settings): string[] {
  switch (daemon) {
    case "etcd":
      return ["curl", "etcd-client", "etcd-server"];
    case "patroni": {
      const { version } = cluster.postgresql;
      return ["curl", "etcd-client", "patroni", "python3-etcd", `postgresql-${version}`]
        .concat(cluster.postgresql.packages)
        .concat(cluster.backup || cluster.postgresql.bootstrap ? COPYING : []);
    }
    case "haproxy":
      return ["haproxy"];
    case "keepalived":
      return ["keepalived"];
    // PostgreSQL itself too: WAL is received by its program, and backups are proven by starting it from them.
    case "barman":
      return ["barman", `postgresql-${cluster.postgresql.version}`]
        .concat(cluster.postgresql.packages)
        .concat(COPYING);
  }
}

/** What data is copied by, from and to the backup host. */
const COPYING = ["openssh-client", "rsync"];

/** How each host that has a part in the cluster is prepared. */
export function planHosts(settings: Settings): HostPlan[] {
  const { version } = settings.cluster.postgresql;
  const firewall = settings.cluster.firewall === false ? [] : ["nftables"];
  return partners(settings).map((host): HostPlan => {
    const daemons = daemonsOn(settings, host);
    const database = daemons.includes("patroni") || daemons.includes("barman");
    // A host that serves clients keeps its kernel, and its server its unit, until it is a member like the others.
    const untouched = isSource(settings, host) && !reaches(settings, "cutOver");
    const kernel = untouched ? {} : planKernel(settings, host);
    return {
      host,
      packages: [
        ...new Set([...firewall, ...daemons.flatMap((one) => packagesFor(one, settings))]),
      ].sort(),
      // That of a migrated server is masked when it is adopted.
      masked:
        database && !isSource(settings, host)
          ? ["postgresql.service", `postgresql@${version}-main.service`]
          : [],
      files: {
        ...OURS_TO_RESTART,
        ...(database ? NO_CLUSTER_BY_PACKAGE : {}),
        ...(untouched ? {} : kernelFiles(settings, host, kernel)),
      },
      kernel,
    };
  });
}

/** Units of Debian's packages that the cluster runs. */
const UNITS = ["patroni", "etcd", "haproxy", "keepalived"];

/**
 * Neither an upgrade of a package nor needrestart, which looks after it for programs that are gone from the disk, restarts
 * what the cluster runs: on a host without some of these units there is nothing to keep.
 */
const OURS_TO_RESTART: Files = {
  ...script("/usr/sbin/policy-rc.d", "packages/policy-rc.d.sh", { units: UNITS }),
  "/etc/needrestart/conf.d/pgherd.conf": {
    mode: "0644",
    owner: "root",
    group: "root",
    content: `# Written by pgherd.\n$nrconf{override_rc}{qr(^(${UNITS.join("|")}|pgherd-.*)\\.service$)} = 0;\n`,
  },
};

/** The package would make and start a cluster of its own where Patroni's data belongs. */
const NO_CLUSTER_BY_PACKAGE: Files = {
  "/etc/postgresql-common/createcluster.conf": {
    mode: "0644",
    owner: "root",
    group: "root",
    content: "# Written by pgherd.\ncreate_main_cluster = false\n",
  },
};

/** The hosts that have a part in the cluster, in the order of `pgherd:hosts`. */
function partners(settings: Settings): string[] {
  return Object.keys(settings.hosts).filter((host) => daemonsOn(settings, host).length > 0);
}
