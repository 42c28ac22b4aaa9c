// What each type of resource takes: the contract between the program, which registers resources, and the provider, which
// makes them so. Plain data.

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
  /** etcd's, on a host of the DCS. */
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
  readonly versions: readonly VersionRule[];
  /** Packages that must have the same upstream version wherever they are used. */
  readonly sameVersions: readonly string[];
  /** Addresses that only this cluster's load balancers may hold: `["10.89.0.100"]`. */
  readonly vips: readonly string[];
  /** Of a cluster that begins with a backup: which one. */
  readonly bootstrap?: BootstrapInput | null;
  /** What of the user's own a server must be able to start with; absent where there is nothing. */
  readonly trial?: TrialInput | null;
  /** Settings that a cluster keeps for its life, by path below `pgherd:cluster`: `{ "postgresql.version": "17" }`. */
  readonly fixed: { readonly [path: string]: string };
  /** The look at a server that is to be migrated, told together with all else that is wrong. */
  readonly survey?: Omit<SurveyInputs, "cluster">;
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
  /** Where the members' keys are looked for. */
  readonly dataDirectory: string;
  /** Whether it comes later, by a copy, with the keys that are in it. */
  readonly dataComes?: boolean;
  /** Settings as text, by lower-case name. */
  readonly settings: { readonly [name: string]: string };
  readonly hba: readonly string[];
  /** Extensions of its databases. */
  readonly extensions: readonly string[];
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
}

/** A server that runs already, as it was before anything was changed: what a migration keeps, and goes back to. */
export interface Source {
  readonly systemIdentifier: string;
  /** Major version: `17`. */
  readonly version: number;
  readonly port: number;
  readonly dataDirectory: string;
  /** Where postgresql.conf stands. */
  readonly configDirectory: string;
  /** Where the server's program stands: `/usr/lib/postgresql/17/bin`. */
  readonly binDirectory: string;
  readonly hbaFile: string;
  readonly identFile: string;
  /** The unit that the server belongs to: `postgresql@17-main.service`; empty where it was started by hand. */
  readonly unit: string;
  /** Units that are enabled and would start it with the host: the one above, and those that pull it in. */
  readonly enabled: readonly string[];
  readonly checksums: boolean;
  /** Settings that stand in its files or on its command line, as they stand there, by lower-case name. */
  readonly configured: { readonly [name: string]: string };
  /** What Patroni always sets, as the server runs with it: `{ max_connections: "100" }`. */
  readonly running: { readonly [name: string]: string };
  /** Names of settings that change by a restart only. */
  readonly restarting: readonly string[];
  /** Lines of pg_hba.conf as they are spelled there, those of files that it includes too, without comments. */
  readonly hba: readonly string[];
  /** Lines of pg_ident.conf, in the same way. */
  readonly ident: readonly string[];
  /** The same lines as PostgreSQL understands them, in JSON; absent where an earlier version has looked. */
  readonly hbaRows?: readonly string[];
  readonly identRows?: readonly string[];
  readonly slots: readonly SourceSlot[];
  /** Roles that pgherd needs and that were there already. */
  readonly roles: readonly string[];
  /** The method that lets in all who have a password: with `md5` also those whose password is stored so. */
  readonly passwords?: "md5" | "scram-sha-256";
  /** Ports of other servers of PostgreSQL on its host, which have no part in the cluster. */
  readonly otherPorts?: readonly number[];
  /** Directories of its tablespaces. */
  readonly tablespaces?: readonly string[];
  /** Where Debian has variables of its environment: `/etc/postgresql/17/main/environment`; absent where there are none. */
  readonly environmentFile?: string;
}

/** Lines of a migrated server's rules, as PostgreSQL understands them, which must stand on every member. */
export type CarriedRules = Pick<Source, "hbaRows" | "identRows">;

/** A replication slot of a server that runs already. */
export interface SourceSlot {
  readonly name: string;
  readonly type: "physical" | "logical";
  /** Of a logical one. */
  readonly database: string | null;
  readonly plugin: string | null;
}

/** A read-only look at the server that is to be migrated. */
export interface SurveyInputs {
  readonly cluster: string;
  /** The host on which it runs. */
  readonly host: string;
  readonly port: number;
  readonly version: number;
  readonly superuser: string;
  /** The other members, each with the packages that it has or gets. */
  readonly others: { readonly [host: string]: readonly string[] };
  /** Where the others will keep their data. */
  readonly dataDirectory: string;
  /** Whether commits are to wait for a replica even where there is none. */
  readonly strict: boolean;
  /** Steps that the migration goes through: each looks anew, as long as nothing has been changed. */
  readonly steps: readonly string[];
  /** Where what was found is kept from the first change on: from then on that counts. */
  readonly keptOn: readonly string[];
  /** How the members stream from it, where they follow it as a standby cluster. */
  readonly stream?: StreamInput;
}

/** How the members of a standby cluster stream from the old server. */
export interface StreamInput {
  readonly address: string;
  readonly port: number;
  /** The role that they log in as. */
  readonly role: string;
  readonly password: string;
  /** Addresses that they come from, by member. */
  readonly from: { readonly [member: string]: string };
}

/** What a migration will do to the server. Read-only: it is told, nothing is done. */
export interface MigrationReportInputs {
  readonly cluster: string;
  readonly host: string;
  readonly superuser: string;
  readonly source: Source;
  /** PostgreSQL's settings as they will be, by lower-case name. */
  readonly parameters: { readonly [name: string]: string };
  /** Settings without which no replica could follow: they need a restart at once. */
  readonly needed: { readonly [name: string]: string };
  /** The members where the data is copied to. */
  readonly others: readonly string[];
  /** Bytes per second that a copy may take; 0: no limit. */
  readonly maxRate: number;
  readonly method: "adopt" | "standbyCluster";
  readonly keptOn: readonly string[];
  /** Ports of the host that are for the cluster alone from the first step on; absent where the user wants no rules. */
  readonly newPorts?: readonly number[] | null;
  /** Lines of pg_hba.conf that reject clients by addresses which nobody sees through the load balancers. */
  readonly voidRules?: readonly string[];
}

/** The server made ready to be taken over, without stopping it. */
export interface AdoptionInputs {
  readonly cluster: string;
  readonly host: string;
  readonly source: Source;
  readonly superuser: string;
  /** etcd's client URLs. */
  readonly endpoints: readonly string[];
  /** Roles that Patroni connects with. */
  readonly roles: {
    readonly superuser: string;
    readonly replication: string;
    readonly rewind: string;
  };
  /** Where the other members keep their data: what an earlier migration has left there is set aside. */
  readonly others: { readonly [host: string]: string };
  /** The lines of pg_hba.conf that Patroni will write, which the server reads once before that. */
  readonly hba?: readonly string[];
  /** PostgreSQL's settings as they will be, by lower-case name. */
  readonly parameters?: { readonly [name: string]: string };
  /** `masked` is wanted: the server is started by Patroni only. */
  readonly unit: string;
}

/** The server led by Patroni. */
export interface TakeoverInputs {
  readonly cluster: string;
  readonly host: string;
  /** Of Patroni's REST API: `10.89.0.11:8008`. */
  readonly endpoint: string;
  readonly port: number;
  readonly systemIdentifier: string;
  /** Settings without which no replica could follow: they need a restart at once. */
  readonly needed: { readonly [name: string]: string };
  readonly carried?: CarriedRules;
}

/** The clients moved from the server's own address to the entry point. */
export interface CutOverInputs {
  readonly cluster: string;
  readonly host: string;
  readonly port: number;
  /** Roles whose sessions are pgherd's and Patroni's own. */
  readonly roles: readonly string[];
  /** Addresses that connections of the cluster itself come from. */
  readonly own: readonly string[];
  /** Seconds that clients have to move. */
  readonly wait: number;
}

/** The server standing alone again, as it was found. */
export interface RollbackInputs {
  readonly cluster: string;
  readonly host: string;
  readonly superuser: string;
  /** Endpoint of Patroni's REST API by host. */
  readonly members: { readonly [host: string]: string };
  readonly port: number;
  /** etcd's client URLs. */
  readonly endpoints: readonly string[];
  /** Roles that only the cluster needs: Patroni's own, and Barman's. */
  readonly roles: readonly string[];
  /** Slots that only the cluster needs: of its other members, and of Barman. */
  readonly slots: readonly string[];
  /** The body of nftables' table until the cluster's daemons are stopped; none where the user wants no rules. */
  readonly rules?: string | null;
}

/** What all resources of a standby cluster know of it, which follows an old server until it takes its place. */
export interface StandbyInputs {
  readonly cluster: string;
  /** The old server's host. */
  readonly host: string;
  /** Where the old server listens. */
  readonly port: number;
  readonly superuser: string;
  /** The slot that keeps WAL for the cluster on the old server. */
  readonly slot: string;
  /** Endpoint of Patroni's REST API by host: `{ db1: "10.89.0.11:8008" }`. */
  readonly members: { readonly [host: string]: string };
  /** PostgreSQL's, on the members. */
  readonly memberPort: number;
  /** A host that has etcdctl, and etcd's client URLs. */
  readonly dcs: { readonly host: string; readonly endpoints: readonly string[] };
}

/** The old server made ready to be followed: what was found is kept, and from then on all WAL. */
export interface StandbySlotInputs extends StandbyInputs {
  readonly source: Source;
  /** Where the members keep their data: what an earlier migration has left there is set aside. */
  readonly dataDirectory: string;
  /** `reserved` is wanted: the slot is there and has lost nothing. */
  readonly state: string;
}

/** The members, as they follow the old server. */
export interface StandbyClusterInputs extends StandbyInputs {
  readonly systemIdentifier: string;
  readonly carried?: CarriedRules;
  /** Bytes that nobody may be behind. */
  readonly maximumLag: number;
  /** Whether the cluster is to take the old server's place in this run. */
  readonly promotes: boolean;
}

/** The cluster in the old server's place. */
export interface PromotionInputs extends StandbyInputs {
  readonly source: Source;
  readonly roles: AdoptionInputs["roles"];
  /** Where it shows that clients reach the new leader; none without load balancers. */
  readonly balancers: { readonly hosts: readonly string[]; readonly statsPort: number };
}

/** The old server alone again, and the members out of service. */
export type StandbyRollbackInputs = StandbyInputs;

/** A host made ready for its services, in one package transaction. */
export interface HostBaseInputs {
  readonly cluster: string;
  readonly host: string;
  readonly packages: readonly string[];
  readonly masked: readonly string[];
  readonly files: { readonly [path: string]: FileInput };
  /** Settings of the kernel, by path below `/proc/sys` with dots, or `transparent_hugepage`: all as text. */
  readonly kernel: { readonly [setting: string]: string };
  /** Of a member: what a server is tried with as soon as its packages are there. */
  readonly trial?: TrialInput | null;
}

/** Which packets a host lets in. */
export interface FirewallInputs {
  readonly cluster: string;
  readonly host: string;
  /** The body of nftables' table `inet pgherd`, as the plan writes it. */
  readonly rules: string;
  /** What it is again once this is taken away, on the host of a server that is migrated. */
  readonly beginning?: string | null;
  /** `active` is wanted; `changed` if the rules in the kernel are others, `absent` if there are none. */
  readonly loaded: string;
  /** `enabled` is wanted: the rules come back with the host. */
  readonly enabled: string;
}

/**
 * Which packets the host of a server that is migrated lets in from the first step on: once the firewall has been closed,
 * what that lets in.
 */
export interface NewPortsInputs extends FirewallInputs {
  readonly beginning: string;
}

/** A unit as a user wants to see it in a preview. */
export interface ServiceUnit {
  /** `active` is wanted. */
  readonly active: string;
  /** `enabled` is wanted. */
  readonly enabled: string;
  /** `loaded` is wanted; `outdated` if it runs with another configuration than the one on disk. */
  readonly configuration: string;
}

/** One daemon on one host: its directories, files and unit, brought about together. */
export interface ServiceInputs {
  readonly cluster: string;
  readonly host: string;
  /** One of `DAEMONS`. */
  readonly daemon: string;
  readonly directories: { readonly [path: string]: DirectoryInput };
  readonly files: { readonly [path: string]: FileInput };
  readonly unit: ServiceUnit;
  /** For etcd only: what the members must know of each other. */
  readonly etcd?: EtcdMemberInput;
}

/** An etcd member, as far as the others must be looked at before it is changed. */
export interface EtcdMemberInput {
  readonly peerUrl: string;
  readonly dataDirectory: string;
  /** Client URL by host, this member's included: `{ db1: "http://10.89.0.11:2379" }`. */
  readonly members: { readonly [host: string]: string };
}

/** What must hold across the etcd members. */
export interface EtcdClusterInputs {
  readonly cluster: string;
  /** Client URL by host: `{ db1: "http://10.89.0.11:2379" }`. */
  readonly members: { readonly [host: string]: string };
  /** Alarms that are raised: none, or else etcd takes no writes (`NOSPACE`) or holds what is damaged (`CORRUPT`). */
  readonly alarms: readonly string[];
}

/** The configuration that all members follow, kept in the DCS. */
export interface DynamicConfigurationInputs {
  readonly cluster: string;
  /** A host that has etcdctl. */
  readonly host: string;
  /** etcd's client URLs. */
  readonly endpoints: readonly string[];
  /** https://patroni.readthedocs.io/en/latest/dynamic_configuration.html */
  readonly configuration: { readonly [key: string]: unknown };
  /** What stands in it beside that when it is first written, and is later changed by others than this. */
  readonly beginning?: { readonly [key: string]: unknown };
  /** Endpoint of Patroni's REST API by host: those who read it, once they run. */
  readonly members: { readonly [host: string]: string };
  /** Of PostgreSQL on them. */
  readonly port: number;
}

/** The files of one service, those with passwords apart. */
export interface ServiceFilesInput {
  readonly paths: readonly string[];
  /** Of their contents; see configuration-hash. */
  readonly hash: string;
}

/** What of a cluster tells what an update does to its members and to what is in the database. */
export interface UpdateReportInputs {
  readonly cluster: string;
  /** Endpoint of Patroni's REST API by host: `{ db1: "10.89.0.11:8008" }`. */
  readonly members: { readonly [host: string]: string };
  readonly port: number;
  /** The dynamic configuration that every member must have loaded; found: a setting that one has not, by that. */
  readonly configuration: { readonly [key: string]: unknown };
  /** Members on which something waits for a restart of PostgreSQL: none is wanted. */
  readonly pendingRestart: readonly string[];
  /** Members that no switchover may choose. */
  readonly neverLead: readonly string[];
  /** The leader that restarts in place, because clients still connect to it alone; null: a switchover comes first. */
  readonly leaderStays: string | null;
  readonly rolling: RollingInput;
  readonly roles: readonly RoleInput[];
  readonly databases: readonly DatabaseInput[];
}

/** What exists only across the members: a leader with its replicas, roles and databases. */
export interface PatroniClusterInputs extends UpdateReportInputs {
  /** Seconds that the first member has to become the leader. */
  readonly firstStartSeconds: number;
  /** Which replicas must be there for writes to be safe: at least `count` with this role; null: none. */
  readonly synchronous: { readonly role: string; readonly count: number } | null;
  /** Of the members' own files: when they change, something may wait for a restart of PostgreSQL. */
  readonly filesHash: string;
  /** What the members' servers have not loaded of their files, or could not: nothing is wanted. */
  readonly unloaded: readonly string[];
  /** Where a member is drained before its restart. */
  readonly balancers: {
    readonly hosts: readonly string[];
    /** HAProxy's proxies that lead to replicas. */
    readonly entrances: readonly string[];
    readonly statsPort: number;
  };
  /** By role, Patroni's own included. */
  readonly passwords: { readonly [role: string]: string };
  /** Of a migrated cluster. */
  readonly carried?: CarriedRules;
}

/** A writable copy of the database on the host of one of the members, which shares all unchanged blocks with it. */
export interface ForkInputs {
  readonly cluster: string;
  readonly name: string;
  /** `replica`, or the member that it is made from. */
  readonly from: string;
  /** Endpoint of Patroni's REST API by host: `{ db1: "10.89.0.11:8008" }`. */
  readonly members: { readonly [host: string]: string };
  /** The member's PostgreSQL: where it is, which major version, and where it listens. */
  readonly source: {
    readonly dataDirectory: string;
    readonly version: number;
    readonly port: number;
  };
  /** Where the fork lies: `/var/lib/postgresql/17/forks/try-migration`. */
  readonly folder: string;
  /** The host's tool that keeps forks within their limits. */
  readonly keeper: string;
  readonly port: number;
  /** Bytes of memory that it may use. */
  readonly memory: number;
  /** Bytes of the disk that it may take for itself. */
  readonly disk: number;
  /** Seconds until the host removes it; 0: it stays. */
  readonly ttl: number;
  readonly files: { readonly [path: string]: FileInput };
  /** Of every login role that has a password, on the fork only. */
  readonly password: string;
  /** `active` is wanted; else the unit's state, or why the host has stopped it. */
  readonly running: string;
}

/** Logins by key from one host to another, each for one command only. */
export interface LoginsInputs {
  readonly cluster: string;
  readonly links: readonly LinkInput[];
  /** The commands themselves, by host and path. */
  readonly files: { readonly [host: string]: { readonly [path: string]: FileInput } };
}

/** A user of one host may log in as a user of another one, for a command that sshd runs whatever is asked for. */
export interface LinkInput {
  readonly from: string;
  /** Where the host `from` comes from: the key is good for nobody else. */
  readonly fromAddress: string;
  readonly fromUser: string;
  readonly to: string;
  readonly toUser: string;
  /** Where the host `to` is reached. */
  readonly address: string;
  readonly port: number;
  readonly command: string;
}

/** Backups as a whole: taken, received and looked after. */
export interface BackupsInputs {
  readonly cluster: string;
  readonly host: string;
  /** Barman's folder of the cluster: `/var/lib/barman/demo`. */
  readonly home: string;
  /** Timers of systemd that must run; found: those that do. */
  readonly timers: readonly string[];
  /** Names of Barman's own checks that fail, but for those of what is past: none is wanted. */
  readonly failedChecks: readonly string[];
  /** `taken` is wanted, or at least being taken; `none` if there is no backup. */
  readonly firstBackup: string;
}

/** What clients connect to: exactly one holder of the virtual IP, and every balancer leading to the leader. */
export interface EntryPointInputs {
  readonly cluster: string;
  readonly hosts: readonly string[];
  /** Where clients connect: `["10.89.0.100"]`. */
  readonly addresses: readonly string[];
  /** Virtual addresses, all held by the same balancer. */
  readonly vips: readonly string[];
  readonly ports: { readonly [entrance: string]: number };
  readonly statsPort: number;
}

/** A file as it must stand on a host. */
export interface FileInput {
  /** The whole text; ends in a newline. */
  readonly content: string;
  /** Four octal digits: `0644`. */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
}

/** A directory as it must stand on a host. */
export type DirectoryInput = Omit<FileInput, "content">;

/** A login role as it must be. */
export interface RoleInput {
  readonly name: string;
  readonly createdb: boolean;
  readonly createrole: boolean;
  /** -1 is no limit. */
  readonly connectionLimit: number;
  /** Whether it may stream WAL; not given for users, whose rights of this kind stay as they are. */
  readonly replication?: boolean;
  /** Roles that it is a member of, sorted. */
  readonly memberOf?: readonly string[];
  /** Whether it is to be a member of no others that the stack or PostgreSQL makes; without it none is given up. */
  readonly noOthers?: boolean;
  /** Functions of the database `postgres` that it may call, as regprocedure spells them, sorted. */
  readonly executes?: readonly string[];
  /** What holds in its sessions, whatever the server's own settings say, as `ALTER ROLE … SET` writes it. */
  readonly settings?: { readonly [name: string]: string };
  /** What becomes of a user that the stack does not name any more; its login is closed where nothing is said. */
  readonly onRemoval?: "keep" | "drop";
}

/** A database as it must be. */
export interface DatabaseInput {
  readonly name: string;
  readonly owner: string;
  readonly extensions: readonly string[];
  /** Nothing where none is wanted. */
  readonly schemas?: readonly SchemaInput[];
  /** What becomes of it once the stack does not name it any more; it stays where nothing is said. */
  readonly onRemoval?: "drop";
}

/** A schema of a database; one that is not wanted any more stays. */
export interface SchemaInput {
  readonly name: string;
  readonly owner: string;
  /** Roles that may use it, sorted; others may too. */
  readonly usage: readonly string[];
  /** Roles that may create something in it, sorted; others may too. */
  readonly create: readonly string[];
}

/** How carefully members are restarted one after the other. */
export interface RollingInput {
  /** Bytes: a replica further behind takes over nothing and ends the roll. */
  readonly maximumLag: number;
  /** Seconds that a transaction may have been open when its member is restarted. */
  readonly longestTransaction: number;
  /** Seconds that sessions of a replica have to end by themselves. */
  readonly drain: number;
  /** Seconds to wait for the above before the roll ends. */
  readonly wait: number;
}
