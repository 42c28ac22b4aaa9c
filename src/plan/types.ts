import type { MigrationStep } from "../config/schema";
import type { DcsVoters } from "../dcs/dcs";
import type {
  AdoptionInputs,
  CutOverInputs,
  RollbackInputs,
  TakeoverInputs,
} from "../migration/inputs/adoption";
import type { MoveInput } from "../resources/inputs/move";
import type { DatabaseInput, RoleInput } from "../resources/inputs/database";
import type { DirectoryInput, FileInput } from "../resources/inputs/files";
import type { ForkInputs } from "../resources/inputs/fork";
import type { LinkInput } from "../resources/inputs/logins";
import type { RollingInput } from "../resources/inputs/patroni-cluster";
import type { PreflightInputs } from "../resources/inputs/preflight";
import type { DcsAccessInput } from "../resources/inputs/dcs-cluster";
import type { ExistingDcsInputs } from "../resources/inputs/existing-dcs";
import type { DcsMemberInput } from "../resources/inputs/service";
import type {
  PromotionInputs,
  StandbyClusterInputs,
  StandbyInputs,
  StandbySlotInputs,
} from "../migration/inputs/standby";
import type { MigrationReportInputs, StreamInput, SurveyInputs } from "../migration/inputs/survey";
import type { RoleName, SecretName } from "../roles/roles";

/** Files by absolute path. */
export type Files = { readonly [path: string]: FileInput };

/** A file that holds secrets: all others can be shown in a preview. It is made once they are known. */
export interface SecretFile extends Omit<FileInput, "content"> {
  /** As `render` takes it: `patroni/secrets.yml`. */
  readonly template: string;
  readonly values: object;
  /** By the name that the template has for it, below `secrets`. */
  readonly secrets: { readonly [name: string]: SecretName };
}

/** Files that hold secrets, by absolute path. */
export type SecretFiles = { readonly [path: string]: SecretFile };

/** A secret that is generated. */
export interface SecretPlan extends SecretName {
  readonly length?: number;
}

/** Directories by absolute path, parents before children. */
type Directories = { readonly [path: string]: DirectoryInput };

/** What a host is prepared with before any service: one package transaction, so that it is fast. */
export interface HostPlan {
  readonly host: string;
  /** Debian packages, sorted. */
  readonly packages: readonly string[];
  /** Units of the distribution that must never start: PostgreSQL is started by Patroni only. */
  readonly masked: readonly string[];
  /** Files that packages read while they are installed. */
  readonly files: Files;
  /** Settings of the kernel: `{ "vm.swappiness": "1", transparent_hugepage: "never" }`. */
  readonly kernel: { readonly [setting: string]: string };
}

/** One kind of traffic that a host lets in. */
export interface Flow {
  /** Who it comes from, in a word: `members`, `load balancers`, `clients`. */
  readonly from: string;
  /** Their addresses and networks. */
  readonly addresses: readonly string[];
  /** The host that lets it in. */
  readonly to: string;
  /** `mark` for packets that another table of nftables on the host has marked, by their port. */
  readonly protocol: "tcp" | "udp" | "vrrp" | "mark";
  /** Of tcp and udp only. */
  readonly port?: number;
  /** What it is for, in a word or two: `PostgreSQL`, `Patroni's REST API`. */
  readonly purpose: string;
}

/** Which packets a host lets in. */
export interface FirewallPlan {
  readonly host: string;
  /** The body of nftables' table `inet pgherd`. */
  readonly rules: string;
  /**
   * What it is as long as clients reach a server that is migrated at its own address: the ports of the cluster's daemons
   * are for the cluster alone, all else is let in as before.
   */
  readonly beginning?: string;
}

/** One daemon on one host. */
export interface ServicePlan {
  readonly host: string;
  readonly daemon: RoleName;
  readonly files: Files;
  readonly secretFiles: SecretFiles;
  readonly directories: Directories;
  /** For the DCS only. */
  readonly etcd?: DcsMemberInput;
  /** For Patroni only. */
  readonly move?: MoveInput;
}

/** Who may do what in the DCS. */
export interface DcsAccessPlan extends Omit<DcsAccessInput, "tokens"> {
  /** What each name is known by. */
  readonly tokens: { readonly [name: string]: SecretName };
}

/** The DCS, and who votes in it. */
export type DcsPlan = DcsVoters;

/** One that pgherd deploys. */
export interface OwnDcsPlan extends Pick<DcsVoters, "kind" | "members"> {
  /** Where it would take out voters who are away, and may not. */
  readonly keepsVoters?: true;
  /** None where it asks nobody who he is. */
  readonly access?: DcsAccessPlan;
}

/** What each member must have to be let in to a DCS of somebody else's, and how it is judged. */
export interface ExistingDcsPlan {
  readonly inputs: Omit<ExistingDcsInputs, "cluster" | "files">;
  readonly files: Files;
  readonly secretFiles: SecretFiles;
}

/** What must hold across the Patroni members. */
export interface PatroniPlan {
  /** Endpoint of Patroni's REST API by host: `{ db1: "10.89.0.11:8008" }`. */
  readonly members: { readonly [host: string]: string };
  /** PostgreSQL's. */
  readonly port: number;
  readonly roles: readonly RoleInput[];
  readonly databases: readonly DatabaseInput[];
  /** Of roles that daemons connect with, by role. */
  readonly passwords: { readonly [role: string]: SecretName };
  /** Seconds that the first member has to become the leader: as long as a restore takes. */
  readonly firstStartSeconds: number;
  readonly synchronous: { readonly role: string; readonly count: number } | null;
  readonly neverLead: readonly string[];
  /** The leader that restarts in place; null: none. */
  readonly leaderStays: string | null;
  readonly rolling: RollingInput;
}

/** What clients connect to. */
export interface EntryPointPlan {
  readonly hosts: readonly string[];
  /** Where clients connect: the virtual IP if there is one, else each balancer's address. */
  readonly addresses: readonly string[];
  /** Virtual addresses, all held by the same balancer. */
  readonly vips: readonly string[];
  readonly ports: {
    readonly primary: number;
    readonly replica: number;
    readonly synchronous: number;
    readonly asynchronous: number;
  };
  readonly statsPort: number;
}

/** A fork, but for its password. */
export type ForkPlan = Omit<ForkInputs, "cluster" | "password">;

/** Logins by key from one host to another, each for one command only. */
export interface LoginsPlan {
  readonly links: readonly LinkInput[];
  /** The commands themselves, by host. */
  readonly files: { readonly [host: string]: Files };
}

/** What must hold of the backups as a whole. */
export interface BackupPlan {
  readonly host: string;
  /** Barman's folder of the cluster: `/var/lib/barman/demo`. */
  readonly home: string;
  /** The slot that keeps WAL for them on the leader. */
  readonly slot: string;
  /** PostgreSQL's, on the members. */
  readonly port: number;
  readonly timers: readonly string[];
  /** A newest backup that is older than this many days is one too few. */
  readonly maximumAgeDays: number;
  /** So many days may lie between two test restores; null: nobody asks for any. */
  readonly verifyWithinDays: number | null;
  /** Folder with figures for the monitoring. */
  readonly metrics: string;
  /** Folder with what came of the test restores. */
  readonly results: string;
}

/** How a server that runs already becomes the first member; what depends on the server itself comes later. */
export interface MigrationPlan {
  readonly survey: Omit<SurveyInputs, "cluster">;
  readonly report: Omit<
    MigrationReportInputs,
    "cluster" | "source" | "parameters" | "needed" | "voidRules"
  >;
  readonly adoption: Omit<AdoptionInputs, "cluster" | "source" | "hba">;
  readonly takeover: Omit<TakeoverInputs, "cluster" | "systemIdentifier" | "needed">;
  readonly cutOver: Omit<CutOverInputs, "cluster">;
  /** Only where the way back is asked for. */
  readonly rollback?: Omit<RollbackInputs, "cluster">;
}

/** How the members follow a server that runs already, until they take its place. */
export interface StandbyPlan {
  /** Without the password. */
  readonly stream: Omit<StreamInput, "password">;
  readonly survey: Omit<SurveyInputs, "cluster" | "stream">;
  readonly report: Omit<
    MigrationReportInputs,
    "cluster" | "source" | "parameters" | "needed" | "voidRules"
  >;
  /** What the dynamic configuration begins with: the server that the members follow. */
  readonly beginning: { readonly standby_cluster: object };
  readonly slot: Omit<StandbySlotInputs, "cluster" | "source">;
  readonly following: Omit<StandbyClusterInputs, "cluster" | "systemIdentifier">;
  readonly promotion: Omit<PromotionInputs, "cluster" | "source">;
  /** Only where the way back is asked for. */
  readonly rollback?: Omit<StandbyInputs, "cluster">;
}

/** The server that a migration has given back: all that its stack stands for then. */
export type StandalonePlan = Pick<StandbyInputs, "host" | "port" | "superuser"> &
  Partial<Pick<StandbyInputs, "slot">>;

/** What is made from a server that is migrated, once it has been looked at. */
export interface MigratedPlan {
  /** What it must be restarted for before any replica can follow. */
  readonly needed: { readonly [setting: string]: string };
  /** The lines of pg_hba.conf on its host. */
  readonly hba: readonly string[];
  /** Lines of its pg_hba.conf that hold for nobody who comes through the load balancers. */
  readonly voidRules: readonly string[];
  /** The firewall's rules on its host, where others run beside it: what stands in place of `rules`. */
  readonly rules: { readonly [host: string]: string };
  /** What stands in place of the files of Patroni's services, by host. */
  readonly files: { readonly [host: string]: Files };
}

/**
 * Everything that a cluster consists of; made from the settings alone, without asking a host. Plain data, so that nothing
 * of it can change unseen. What needs more than the settings is made later: `planConfiguration` and `planMigrated`.
 */
export interface ClusterPlan {
  readonly name: string;
  readonly preflight: Omit<PreflightInputs, "cluster">;
  readonly hosts: readonly HostPlan[];
  readonly dcs: DcsPlan;
  /** The one that the cluster goes to it from, and the move between them. */
  readonly former?: DcsPlan;
  readonly move?: MoveInput;
  /** What pgherd deploys of it; two, while the cluster goes from one to the other. */
  readonly ownDcs: readonly OwnDcsPlan[];
  /** Only where the DCS is somebody else's. */
  readonly existingDcs?: ExistingDcsPlan;
  readonly patroni: PatroniPlan;
  readonly entryPoint?: EntryPointPlan;
  readonly logins?: LoginsPlan;
  readonly backup?: BackupPlan;
  /** What clients connect with, by entrance: `{ primary: "postgresql://10.89.0.100:5000/", … }`. */
  readonly connection: { readonly [entrance: string]: string };
  readonly flows: readonly Flow[];
  /** At most one of the two ways of a migration. */
  readonly migration?: MigrationPlan;
  readonly standby?: StandbyPlan;
  /** Only where a migration is rolled back. */
  readonly standalone?: StandalonePlan;
  /** How far a migration is to go; without one, all of them. */
  readonly steps: readonly MigrationStep[];
  /** None where the user wants no rules. */
  readonly firewalls: readonly FirewallPlan[];
  readonly secrets: readonly SecretPlan[];
  readonly services: readonly ServicePlan[];
  readonly forks: readonly ForkPlan[];
}
