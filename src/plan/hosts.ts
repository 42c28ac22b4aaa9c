import type { Settings } from "../config/schema";
import { dataDirectory, PATRONI_PORT } from "./patroni";
import type { Daemon, Files, HostPlan, Requirement } from "./types";

/** The daemons that run on a host. */
function daemonsOn({ cluster }: Settings, host: string): Daemon[] {
  const balancers = cluster.loadBalancers;
  const daemons: [Daemon, boolean][] = [
    ["etcd", cluster.dcs.members.includes(host)],
    ["patroni", cluster.members.some((member) => member.host === host)],
    ["haproxy", balancers?.hosts.includes(host) ?? false],
    ["keepalived", (balancers?.vip !== undefined && balancers.hosts.includes(host)) ?? false],
  ];
  return daemons.filter(([, runs]) => runs).map(([daemon]) => daemon);
}

function packagesFor(daemon: Daemon, { cluster }: Settings): string[] {
  switch (daemon) {
    case "etcd":
      return ["etcd-server", "etcd-client"];
    case "patroni": {
      const { version } = cluster.postgresql;
      // curl asks Patroni's REST API on the member itself, which spares a Python start for every question.
      return ["curl", "etcd-client", "patroni", "python3-etcd", `postgresql-${version}`];
    }
    case "haproxy":
      return ["haproxy"];
    case "keepalived":
      return ["keepalived"];
  }
}

/** How each host that has a part in the cluster is prepared. */
export function planHosts(settings: Settings): HostPlan[] {
  const { version } = settings.cluster.postgresql;
  return partners(settings).map((host): HostPlan => {
    const daemons = daemonsOn(settings, host);
    const database = daemons.includes("patroni");
    return {
      host,
      packages: [...new Set(daemons.flatMap((daemon) => packagesFor(daemon, settings)))].sort(),
      masked: database ? ["postgresql.service", `postgresql@${version}-main.service`] : [],
      files: database ? NO_CLUSTER_BY_PACKAGE : {},
    };
  });
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

/** What each host is checked for before the first change. */
export function planRequirements(settings: Settings): Requirement[] {
  const { cluster } = settings;
  const portsOf: { [daemon in Daemon]: number[] } = {
    etcd: [cluster.dcs.clientPort, cluster.dcs.peerPort],
    patroni: [cluster.postgresql.port, PATRONI_PORT],
    haproxy: Object.values(cluster.loadBalancers?.ports ?? {}),
    keepalived: [],
  };
  return planHosts(settings).map(({ host, packages }) => {
    const daemons = daemonsOn(settings, host);
    return {
      host,
      packages,
      ports: Object.fromEntries(
        daemons.flatMap((daemon) => portsOf[daemon].map((port) => [port, daemon])),
      ),
      dataDirectory: daemons.includes("patroni") ? dataDirectory(cluster) : undefined,
      interface: daemons.includes("keepalived") ? cluster.loadBalancers?.interface : undefined,
    };
  });
}

/** The hosts that have a part in the cluster, in the order of `pgherd:hosts`. */
function partners(settings: Settings): string[] {
  return Object.keys(settings.hosts).filter((host) => daemonsOn(settings, host).length > 0);
}
