import type { ExistingDcsInputs } from "./existing-dcs";
import type { MoveInput } from "./move";
import type { SurveyInputs } from "../../migration/inputs/survey";

/** What a host must be able to become. */
export interface Requirement {
  /** Where the other hosts reach it. */
  readonly address: string;
  readonly packages: readonly string[];
  /** The daemon that will listen, by port: `{ "5432": "patroni" }`. */
  readonly ports: { readonly [port: string]: string };
  /** What it must reach on other hosts. */
  readonly reaches: readonly Reach[];
  /** PostgreSQL's, on a member. */
  readonly dataDirectory?: string | null;
  /** Of the DCS's data, on its hosts. */
  readonly dcsDirectory?: string | null;
  /** Where backups are kept, on the backup host. */
  readonly backupDirectory?: string | null;
  /** Network interface of the virtual IP, on a load balancer. */
  readonly interface?: string | null;
  /** PostgreSQL's port, on the member whose server runs already and is to be taken over. */
  readonly adoptsPort?: number | null;
  /** Locale of a new database, on a member. */
  readonly locale?: string | null;
  /** Memory in bytes that PostgreSQL is tuned for, on a member where the user said how much. */
  readonly memory?: number | null;
  /** Whether a member must have a watchdog device. */
  readonly watchdog: boolean;
  /** Whether something must keep the host's clock right. */
  readonly timeSync: boolean;
  /** Whether the data's file system must copy on write, for forks. */
  readonly copyOnWrite?: boolean;
}

/** A port of another host: `{ to: "db2", port: 2379, purpose: "etcd" }`. */
export interface Reach {
  readonly to: string;
  readonly port: number;
  readonly purpose: string;
}

/** A version that a setting needs: of the package as it is installed, or else as it would be. */
export interface VersionRule {
  readonly package: string;
  /** e.g. `4.0.0` */
  readonly atLeast?: string;
  readonly below?: string;
  /** Why, and what to do: one or two sentences for the end of the error. */
  readonly reason: string;
  /** e.g. `pgherd:cluster.replication.mode: "quorum"` */
  readonly setting: string;
}

/** A read-only look at all hosts before the first change: one that does not pass stops the whole run. */
export interface PreflightInputs {
  readonly cluster: string;
  readonly hosts: { readonly [host: string]: Requirement };
  /** What all of them must run, where the stack names it: `debian-13`; else any release that is known will do. */
  readonly distribution?: string | null;
  readonly versions: readonly VersionRule[];
  /** Packages that must have the same upstream version wherever they are used. */
  readonly sameVersions: readonly string[];
  /** Addresses that only this cluster's load balancers may hold: `["10.89.0.100"]`. */
  readonly vips: readonly string[];
  /** Of a cluster that begins with a backup: which one. */
  readonly bootstrap?: BootstrapInput | null;
  /** What of the user's own a server must be able to start with; absent where there is nothing. */
  readonly trial?: TrialInput | null;
  /** Networks that will be let in by SSH, by host; absent where anybody is. */
  readonly logins?: { readonly [host: string]: readonly string[] };
  /** Settings that a cluster keeps for its life, by path below `pgherd:cluster`: `{ "postgresql.version": "17" }`. */
  readonly fixed: { readonly [path: string]: string };
  /** While the cluster goes to another DCS. */
  readonly move?: MoveInput & {
    /** The cluster's members. */
    readonly members: readonly string[];
    /** What of the above the one that it comes from had. */
    readonly fixed: { readonly [path: string]: string };
  };
  /** The look at a server that is to be migrated, told together with all else that is wrong. */
  readonly survey?: Omit<SurveyInputs, "cluster">;
  /** The look at a DCS of somebody else's, told together with all else that is wrong. */
  readonly existingDcs?: Omit<ExistingDcsInputs, "cluster" | "files">;
  /** What it is asked with. */
  readonly dcsFiles?: ExistingDcsInputs["files"];
  /** What the daemons are made from, by daemon and host, so that a preview says first what becomes of which. */
  readonly services?: {
    readonly [daemon: string]: { readonly [host: string]: ServiceFilesInput };
  };
}

/** Settings and lines of pg_hba.conf that are tried on every member before anything is changed. */
export interface TrialInput {
  /** PostgreSQL's major version. */
  readonly version: number;
  /** Where its programs stand, if that is not where Debian's packages put them. */
  readonly binDirectory?: string;
  /** Where the members' keys are looked for, and the size of their WAL's segments. */
  readonly dataDirectory: string;
  /** Whether it comes from elsewhere, by a copy or a restore, with the keys that are in it. */
  readonly dataComes?: boolean;
  /** Whether the stack sets how many huge pages the hosts' kernels keep, which comes later too. */
  readonly hugePagesCome?: boolean;
  /** Settings as text, by lower-case name. */
  readonly settings: { readonly [name: string]: string };
  readonly hba: readonly string[];
  /** Extensions of its databases. */
  readonly extensions: readonly string[];
  /** Where the members' servers are asked for what settings name in a database; absent where none does. */
  readonly port?: number;
  /** The same by database, each in the order of the stack. */
  readonly databases?: { readonly [name: string]: readonly string[] };
}

/** The backup of another cluster that a new one begins with, and up to where. */
export interface BootstrapInput {
  /** The host that keeps it. */
  readonly host: string;
  /** Barman's folder of the other cluster there: `/var/lib/barman/orders`. */
  readonly home: string;
  /** PostgreSQL's programs: `/usr/lib/postgresql/17/bin`. */
  readonly binDirectory: string;
  /** Major version of the new cluster. */
  readonly version: number;
  /** One of these; none: everything that the archive has. */
  readonly target: {
    readonly time?: string;
    readonly xid?: number;
    readonly lsn?: string;
    readonly name?: string;
  };
  /** Of a target of time, in seconds since 1970. */
  readonly time?: number | null;
  /** Id of the backup to begin with, where the user has chosen one. */
  readonly backup?: string | null;
}

/** What the preflight learned, for what depends on the hosts. */
export interface HostsFacts {
  /** Of the smallest member: bytes, processor cores, bytes of the data directory's file system. */
  readonly smallest: { readonly memory: number; readonly cores: number; readonly disk: number };
  /** The lowest upstream version by package, as installed or as it will be: `{ patroni: "4.0.7" }`. */
  readonly versions: { readonly [name: string]: string };
  /** Whether the cluster was made with archive_mode on, so that backups can be added without a restart. */
  readonly archives?: boolean;
  /** Members that the running cluster has not had yet; absent where there are none. */
  readonly joining?: readonly string[];
  /** Former members, and the addresses that they had; absent where there are none. They stay in mind when they have left. */
  readonly leaving?: { readonly [member: string]: string };
  /** Who comes to vote in the DCS that runs, and who voted before; absent as long as neither has ever been. */
  readonly voters?: {
    /** Those who came after it had begun: they never begin one. */
    readonly joining: readonly string[];
    /** With the addresses that they had. They stay in mind when they have left. */
    readonly former: { readonly [host: string]: string };
  };
}

/** The files of one service, those with passwords apart. */
export interface ServiceFilesInput {
  readonly paths: readonly string[];
  /** Of their contents; see configuration-hash. */
  readonly hash: string;
}
