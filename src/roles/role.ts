import type { ClusterSettings } from "../config/schema";
import type { Owner, Software } from "../distributions/distributions";

/** What a host can be in a cluster, by the name of the daemon that makes it so. */
export type RoleName = "etcd" | "consul" | "patroni" | "haproxy" | "keepalived" | "barman";

/** Who opens connections to a role: the hosts of others, or people and programs outside. */
export type Party =
  | "members"
  | "dcs"
  | "balancers"
  /** Those, and the virtual addresses that they may connect from. */
  | "balancers and their virtual addresses"
  | "backup host"
  | "clients"
  | "admins"
  /** Whoever is let in by SSH. */
  | "logins";

/** Where the settings name a host, and which: `{ path: "dcs.members[0]", host: "db1" }`. */
export interface Placement {
  /** Below `pgherd:cluster`. */
  readonly path: string;
  readonly host: string;
}

/** A port that a daemon listens on, by TCP. */
export interface Port {
  /** Where the settings have it, below `pgherd:cluster`; nowhere, if it is always the same one. */
  readonly setting?: string;
  /** None where the settings leave the whole block out. */
  readonly number: (cluster: ClusterSettings) => number | undefined;
  /** What it is for, in a word or two: `PostgreSQL`, `Patroni's REST API`. */
  readonly purpose: string;
  /** Who may reach it from other hosts. */
  readonly from: (cluster: ClusterSettings) => readonly Party[];
  /**
   * Of a port whose daemon asks nobody who he is: whose users, beside root, may connect to it from a host of the cluster.
   * Without it nobody is kept out there.
   */
  readonly callers?: readonly RoleName[];
  /** Whether `firewall.monitors` may connect to it as well. */
  readonly monitored?: boolean;
  /** Of a DCS: whether a cluster that runs may take another one, since none of its daemons is told of it. */
  readonly changeable?: true;
  /** Whether it takes packets of UDP as well. */
  readonly udp?: true;
}

/** Traffic that has no port of its own. */
interface Traffic {
  /** `mark` for packets that another table of nftables on the host has marked, by their port. */
  readonly protocol: "vrrp" | "mark";
  readonly purpose: string;
  readonly from: readonly Party[];
}

/** A secret as the plan speaks of it: `{ role: "haproxy", name: "stats" }`; with a host, that host's own. */
export interface SecretName {
  readonly role: RoleName;
  readonly name: string;
  readonly host?: string;
}

/** A random password that a role needs: generated once, kept in the state, and written into files that hold nothing else. */
interface RoleSecret {
  /** No other role has one of this name: its resource in the state is called so. */
  readonly name: string;
  /** Whether each of the role's hosts has one of its own; else one is for the whole cluster. */
  readonly eachHost?: true;
  /** Letters and digits. @default 32, which hold 190 bits and need no quoting in any file or URL. */
  readonly length?: number;
}

/** A directory that root makes and gives to a user. */
interface RoleDirectory {
  readonly owner: Owner;
  /** Where the settings have it, below `pgherd:cluster`. */
  readonly setting: string;
  readonly path: (cluster: ClusterSettings) => string | undefined;
  /** What it is called beside others: `etcd's data`. */
  readonly name: string;
}

/** A daemon that is not pgherd's: its configuration must not be written over. */
interface Elsewhere {
  /** A command of the shell that tells whether the daemon uses what stands in the files. */
  readonly inUse: string;
  /** As a pattern of the shell: `/etc/haproxy/haproxy.cfg`. */
  readonly files: string;
}

/** How a file is judged by the program that it is for, as that program is installed on the host. */
export type Validation =
  /** A shell command with `{}` for the file's path. */
  | string
  /**
   * A script for Python, of whose modules the program consists. Its arguments are the file's path and the one that it will have, then
   * the same of those that are written together with it in one folder; it ends with an error and says why where the file is refused.
   */
  | { readonly python: string; readonly user: string }
  /** Why nothing judges it. */
  | { readonly none: string };

/** A version that everything of pgherd needs of a role's software. */
interface LeastVersion {
  readonly software: Software;
  readonly version: string;
  /** Below `pgherd:cluster`; empty for the cluster itself. */
  readonly setting: string;
}

/**
 * What one role is: all that is to be known of its daemon beyond the contents of its files, which `src/plan` makes. Data and
 * pure functions of the settings, for whoever lists hosts, ports, packages, units, directories, logs or faults.
 */
export interface Role {
  readonly name: RoleName;
  /** Roles that must be set up before it can start. */
  readonly after: readonly RoleName[];
  readonly hosts: (cluster: ClusterSettings) => readonly Placement[];
  /** The operating system's user that its daemon runs as, or works as. */
  readonly user: Owner | "haproxy" | "root";

  /** What is installed for it, beside what its settings name themselves. */
  readonly software: (cluster: ClusterSettings) => readonly Software[];
  /** Packages that the settings name themselves. */
  readonly packages?: (cluster: ClusterSettings) => readonly string[];
  /** Software that must have the same upstream version wherever it is used. */
  readonly sameVersions: readonly Software[];
  readonly leastVersion?: LeastVersion;

  readonly ports: readonly Port[];
  readonly traffic: readonly Traffic[];
  /** Who of the other hosts logs in to its hosts by SSH. */
  readonly logins: readonly Party[];

  readonly secrets: (cluster: ClusterSettings) => readonly RoleSecret[];
  readonly directories: readonly RoleDirectory[];
  /** Whether its hosts have programs of PostgreSQL, which must not start a server by themselves. */
  readonly database: boolean;
  /** Settings of its hosts' kernel, by path below `/proc/sys` with dots; the stack's own win. */
  readonly kernel: { readonly [setting: string]: string };

  /** What tells on a host that is new to pgherd that somebody else has such a daemon there. */
  readonly elsewhere?: Elsewhere;

  /** The unit that stands for it. */
  readonly unit: string;
  /** Units in whose journal it says what it does. */
  readonly journal: readonly string[];
  /** How the unit takes a new configuration. */
  readonly loading: "reload" | "restart";
  /** What that does to whoever uses it, for the preview. */
  readonly effect: string;
  /** Whether a preview tells of that before all else: it may be felt by those who use the database. */
  readonly felt: boolean;
  /** Whether its start can be waited for. etcd's ends only when a majority has started. */
  readonly waitForStart: boolean;
  /**
   * How files of a cluster's are judged before they reach their place, by final path; all that its program judges are named.
   * A reason, where it has no way to judge one without loading it.
   * @param cluster the cluster's name.
   */
  readonly validate: (cluster: string) => { readonly [path: string]: Validation };
  /**
   * Programs that run for it beside the unit's own process, as a pattern of their command line: `{ postgres: "^/usr/…" }`.
   * Of several processes the oldest is meant.
   */
  readonly programs: { readonly [name: string]: string };
}

/** The hosts of a list of the settings; each is read only when it is asked for. */
export function listed<Item>(
  path: string,
  items: readonly Item[],
  hostOf: (item: Item) => string,
): Placement[] {
  return [...items.keys()].map((i) => ({
    path: `${path}[${i}]`,
    get host() {
      return hostOf(items[i] as Item);
    },
  }));
}
