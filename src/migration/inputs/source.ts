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
  /** Roles of Barman's that were there already; absent where an earlier version has looked, which did not ask. */
  readonly backupRoles?: readonly string[];
  /** The method that lets in all who have a password: with `md5` also those whose password is stored so. */
  readonly passwords?: "md5" | "scram-sha-256";
  /** Ports of other servers of PostgreSQL on its host, which have no part in the cluster. */
  readonly otherPorts?: readonly number[];
  /** Directories of its tablespaces. */
  readonly tablespaces?: readonly string[];
  /** Files that its settings and rules come from, wherever they are; absent where an earlier version has looked. */
  readonly files?: readonly string[];
  /** Where Debian has variables of its environment: `/etc/postgresql/17/main/environment`; absent where there are none. */
  readonly environmentFile?: string;
}

/** Lines of a migrated server's rules, as PostgreSQL understands them, which must stand on every member. */
export type CarriedRules = Pick<Source, "hbaRows" | "identRows">;

/** A replication slot of a server that runs already. */
interface SourceSlot {
  readonly name: string;
  readonly type: "physical" | "logical";
  /** Of a logical one. */
  readonly database: string | null;
  readonly plugin: string | null;
}
