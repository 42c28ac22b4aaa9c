import type { PackageManager } from "./package-manager";

/** A program or a set of them, whatever packages it comes in. */
export type Software =
  | "curl"
  | "etcd"
  | "etcdctl"
  | "patroni"
  | "patroni's client of etcd"
  | "consul"
  | "patroni's client of consul"
  | "postgresql"
  | "haproxy"
  | "keepalived"
  | "barman"
  | "ssh client"
  | "rsync"
  | "nftables";

/** The users who have directories of the cluster's. */
export type Owner = "postgres" | "etcd" | "consul" | "barman";

/**
 * What a distribution calls things, where it has them, and how it installs them. In a text `{major}` stands for PostgreSQL's
 * major version. What a host really is, the preflight finds.
 */
export interface Distribution {
  /** In the words of `pgherd:cluster.system.distribution`: `debian-13`. */
  readonly name: string;
  /** For people: `Debian 13`. */
  readonly title: string;
  /** What /etc/os-release says there, id and version, or codename before it is released: `["debian 14", "debian forky"]`. */
  readonly systems: readonly string[];
  readonly packageManager: PackageManager;
  /** By software. */
  readonly packages: { readonly [software in Software]: string };
  /** Homes of its daemons' users, each for what is that user's; PostgreSQL's holds a folder for each major version. */
  readonly homes: { readonly [user in Owner]: string };
  readonly paths: {
    /** Where a new database goes. */
    readonly data: string;
    /** PostgreSQL's programs. */
    readonly programs: string;
    /** What servers load. */
    readonly libraries: string;
    /** What `CREATE EXTENSION` reads. */
    readonly extensions: string;
    /** Where clients look for a server's socket. */
    readonly sockets: string;
  };
  /** Files and directories of a server that packages make themselves. */
  readonly madeByPackages: RegExp;
  /** A command that makes PostgreSQL's user as the packages would, if there is none. */
  readonly makeUser: string;
  /** Units with which its packages would start a PostgreSQL that Patroni knows nothing of. */
  readonly masked: readonly string[];
}

/**
 * A text of a distribution for a version of PostgreSQL: `postgresql-17` of `postgresql-{major}`.
 * @param major may be a variable, or a pattern, of the text that it goes into.
 */
export function forMajor(text: string, major: number | string): string {
  return text.replaceAll("{major}", String(major));
}
