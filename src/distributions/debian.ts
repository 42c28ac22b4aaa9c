import { apt } from "./apt";
import type { Distribution } from "./distribution";

/** What all releases of Debian have in common, and packages of apt.postgresql.org with them. */
export const DEBIAN: Omit<Distribution, "name" | "title" | "systems"> = {
  packageManager: apt,
  packages: {
    curl: "curl",
    etcd: "etcd-server",
    etcdctl: "etcd-client",
    patroni: "patroni",
    "patroni's client of etcd": "python3-etcd",
    // Debian's own up to release 11, or HashiCorp's: their user and unit are called the same.
    consul: "consul",
    "patroni's client of consul": "python3-consul",
    postgresql: "postgresql-{major}",
    haproxy: "haproxy",
    keepalived: "keepalived",
    barman: "barman",
    "ssh client": "openssh-client",
    rsync: "rsync",
    nftables: "nftables",
  },
  homes: {
    postgres: "/var/lib/postgresql",
    etcd: "/var/lib/etcd",
    consul: "/var/lib/consul",
    barman: "/var/lib/barman",
  },
  paths: {
    data: "/var/lib/postgresql/{major}/main",
    programs: "/usr/lib/postgresql/{major}/bin",
    libraries: "/usr/lib/postgresql/{major}/lib",
    extensions: "/usr/share/postgresql/{major}/extension",
    sockets: "/var/run/postgresql",
  },
  madeByPackages:
    /ssl-cert-snakeoil\.(pem|key)$|^\/var\/(lib|log|run)\/postgresql\/?$|^\/usr\/(lib|share)\/postgresql\//,
  // postgresql-common.postinst, which takes one that is there.
  makeUser:
    "getent passwd postgres || adduser --system --group --home /var/lib/postgresql --shell /bin/bash postgres",
  masked: ["postgresql.service", "postgresql@{major}-main.service"],
};
