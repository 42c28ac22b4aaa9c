// What each type of resource takes: the contract between the program, which registers resources, and the provider, which
// makes them so. Plain data.

/** What a host must be able to become. */
export interface Requirement {
  readonly packages: readonly string[];
  /** The daemon that will listen, by port: `{ "5432": "patroni" }`. */
  readonly ports: { readonly [port: string]: string };
  readonly dataDirectory?: string | null;
  readonly interface?: string | null;
}

/** A read-only look at all hosts before the first change: one that does not pass stops the whole run. */
export interface PreflightInputs {
  readonly cluster: string;
  readonly hosts: { readonly [host: string]: Requirement };
}

/** A host made ready for its services, in one package transaction. */
export interface HostBaseInputs {
  readonly cluster: string;
  readonly host: string;
  readonly packages: readonly string[];
  readonly masked: readonly string[];
  readonly files: { readonly [path: string]: FileInput };
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
}

/** What must hold across the etcd members. */
export interface EtcdClusterInputs {
  readonly cluster: string;
  /** Client URL by host: `{ db1: "http://10.89.0.11:2379" }`. */
  readonly members: { readonly [host: string]: string };
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
}

/** What exists only across the members: a leader with its replicas, roles and databases. */
export interface PatroniClusterInputs {
  readonly cluster: string;
  /** Endpoint of Patroni's REST API by host: `{ db1: "10.89.0.11:8008" }`. */
  readonly members: { readonly [host: string]: string };
  readonly port: number;
  /** Whether one replica must be synchronous. */
  readonly synchronous: boolean;
  readonly roles: readonly RoleInput[];
  readonly databases: readonly DatabaseInput[];
  /** By role, Patroni's own included. */
  readonly passwords: { readonly [role: string]: string };
}

/** What clients connect to: exactly one holder of the virtual IP, and every balancer leading to the leader. */
export interface EntryPointInputs {
  readonly cluster: string;
  readonly hosts: readonly string[];
  /** Where clients connect: `["10.89.0.100"]`. */
  readonly addresses: readonly string[];
  readonly vip?: string;
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
}

/** A database as it must be. */
export interface DatabaseInput {
  readonly name: string;
  readonly owner: string;
  readonly extensions: readonly string[];
}
