import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { MigrationStep, Settings } from "../config/schema";
import { BACKUP_ROLES } from "../plan/backup";
import { planConfiguration } from "../plan/dynamic-configuration";
import { planCluster } from "../plan/plan";
import type { ClusterPlan, Daemon as DaemonName, FirewallPlan, MigratedPlan } from "../plan/types";
import { warnings } from "../plan/warnings";
import type { TrialInput } from "../resources/inputs/preflight";
import type { Source } from "../resources/inputs/source";
import {
  Backups,
  DynamicConfiguration,
  EntryPoint,
  EtcdCluster,
  Firewall,
  HostBase,
  Logins,
  NewPorts,
  PatroniCluster,
  Preflight,
  Provider,
  Rollback,
  type Service,
  StandbyRollback,
  UpdateReport,
} from "../resources/resources";
import { Daemon, type Needs } from "./daemon";
import { Forks } from "./forks";
import { hooks } from "./hooks";
import { carriedRules, Migration } from "./migration";
import { serviceFiles } from "./service-files";
import { Passwords, type SecretOutputs } from "./passwords";
import { StandbyMigration } from "./standby-migration";

const NO_FIREWALL =
  "pgherd:cluster.firewall is false: pgherd sets no rules on the hosts. Whoever reaches the ports of etcd and Patroni there, " +
  "every user of these hosts included, can do with the data what he likes, without a password. Remove it, or see to it that only " +
  "the cluster's hosts reach them, and that only root and the daemons' users log in there.";

/** A firewall as it must be. */
const LOADED = { loaded: "active", enabled: "enabled" };

/** What the hosts are before any service: prepared, and behind their firewalls. */
interface Hosts {
  /** What must be there before a service is set up on a host. */
  readonly on: (host: string) => pulumi.Resource[];
  readonly all: readonly pulumi.Resource[];
}

/** Patroni's dynamic configuration. */
type Configuration = { readonly [key: string]: unknown };

/** What a cluster hands out once it is there. */
interface Built {
  readonly systemIdentifier: pulumi.Output<string>;
  readonly forks?: Forks;
}

/** A highly available PostgreSQL cluster: everything that its plan names, in the order in which it can start. */
export class Cluster extends pulumi.ComponentResource {
  /** Of the data: stays the same for the life of the database. */
  readonly systemIdentifier: pulumi.Output<string>;
  /** Passwords by login role. */
  readonly passwords: { readonly [user: string]: pulumi.Output<string> };
  /** Of the user `stats` of the statistics page. */
  readonly statsPassword: pulumi.Output<string>;
  /** What clients connect to the stack's forks with, by fork. */
  readonly forks: { readonly [fork: string]: pulumi.Output<string> };
  /** Of every login role on a fork, by fork. */
  readonly forkPasswords: { readonly [fork: string]: pulumi.Output<string> };

  private readonly plan: ClusterPlan;
  private readonly child: pulumi.CustomResourceOptions;
  private readonly components: pulumi.ComponentResourceOptions;
  private readonly secrets: SecretOutputs;
  private readonly checked: Preflight;
  private readonly migration?: Migration;
  private readonly standby?: StandbyMigration;
  /** The server that is migrated, if one is, as it was found; and what is made from that. */
  private readonly source?: pulumi.Output<Source>;
  private readonly migrated?: pulumi.Output<MigratedPlan>;

  /** @param given.migrationPassword of the role that the members stream with from a server outside. */
  constructor(
    private readonly name: string,
    private readonly settings: Settings,
    given: { readonly migrationPassword?: pulumi.Output<string> } = {},
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("pgherd:component:Cluster", name, {}, opts);
    const { hosts, ssh, cluster } = settings;
    const told = [...(cluster.firewall === false ? [NO_FIREWALL] : []), ...warnings(settings)];
    for (const warning of told) void pulumi.log.warn(warning, this);
    const plan = planCluster(settings);
    this.plan = plan;
    const provider = new Provider(`${name}-hosts`, { hosts, ssh }, { parent: this });
    this.child = { parent: this, provider };
    this.components = { parent: this, providers: { pgherd: provider } };
    const users = cluster.postgresql.users.map((user) => user.name);
    const generated = new Passwords(`${name}-passwords`, users, plan.backup !== undefined, {
      parent: this,
    });
    // Members of a standby cluster stream from each other with the role that the old server knows.
    this.secrets = {
      ...generated.secrets,
      ...(given.migrationPassword && { replication: given.migrationPassword }),
    };
    this.passwords = generated.users;
    this.statsPassword = generated.secrets.stats;
    this.checked = new Preflight(
      `${name}-preflight`,
      {
        cluster: name,
        ...plan.preflight,
        // Those of a server that is migrated are known only once it has been looked at, which comes later.
        ...(!plan.migration && !plan.standby && { services: serviceFiles(plan) }),
      },
      this.child,
    );
    if (plan.migration && !plan.migration.rollback) {
      this.migration = new Migration(name, settings, plan.migration, this.checked, this.components);
    }
    if (plan.standby && !plan.standby.rollback) {
      const password = given.migrationPassword ?? "";
      this.standby = new StandbyMigration(
        name,
        settings,
        plan.standby,
        password,
        this.checked,
        this.components,
      );
    }
    this.source = (this.migration ?? this.standby)?.source;
    this.migrated = (this.migration ?? this.standby)?.migrated;
    const built = this.goesBack() ? this.goBack() : this.build();
    this.systemIdentifier = built.systemIdentifier;
    this.forks = built.forks?.connection ?? {};
    this.forkPasswords = built.forks?.passwords ?? {};
    this.registerOutputs({ systemIdentifier: this.systemIdentifier });
  }

  /** Whether the cluster is to be brought as far as this step of a migration. */
  private reaches(step: MigrationStep): boolean {
    return this.plan.steps.includes(step);
  }

  private goesBack(): boolean {
    return Boolean(this.plan.migration?.rollback ?? this.plan.standby?.rollback);
  }

  /** Undoes a migration. What else there was of the cluster is taken out of service afterwards, as by a destroy. */
  private goBack(): Built {
    const { name, plan } = this;
    const opts = { ...this.child, dependsOn: this.checked };
    if (plan.migration?.rollback) {
      new Rollback(`${name}-rollback`, { cluster: name, ...plan.migration.rollback }, opts);
    }
    if (plan.standby?.rollback) {
      new StandbyRollback(`${name}-rollback`, { cluster: name, ...plan.standby.rollback }, opts);
    }
    return { systemIdentifier: pulumi.output("") };
  }

  private build(): Built {
    const { plan, migration, standby, source } = this;
    const dynamic = pulumi
      .all([this.checked.facts, source])
      .apply(([facts, found]) => planConfiguration(this.settings, facts, found));
    const told = (migration ?? standby)?.report(dynamic);
    const hosts = this.hosts(told ? [this.checked, told] : this.reported(dynamic));
    const configuration = this.dcs(hosts, dynamic);
    const logins = this.logins(hosts);
    const slot = standby && this.reaches("replicated") ? [standby.slot([configuration])] : [];
    const members = this.members(dynamic, (host) => [
      ...hosts.on(host),
      configuration,
      ...logins,
      ...slot,
    ]);
    if (source && !this.reaches("replicated")) {
      return { systemIdentifier: source.systemIdentifier };
    }
    const made = [configuration, ...members];
    const following = standby ? [standby.following(made)] : [];
    if (source && standby && !this.reaches("cutOver")) {
      this.balancers(hosts);
      return { systemIdentifier: source.systemIdentifier };
    }
    const balancers = this.balancers(hosts);
    const promoted = standby ? [standby.promotion([...following, ...balancers])] : [];
    const database = this.database(dynamic, [...made, ...promoted]);
    const ready = [database, ...this.entryPoint(balancers, database)];
    const backups = this.backups((host) => [...hosts.on(host), ...logins, ...ready]);
    this.cutOver(standby ? promoted : [...ready, ...backups]);
    const forks =
      plan.forks.length > 0
        ? new Forks(`${this.name}-forks`, this.settings, plan.forks, database, this.components)
        : undefined;
    this.hooks("after", [...ready, ...backups, ...(forks ? [forks] : [])]);
    return { systemIdentifier: database.systemIdentifier, forks };
  }

  /**
   * The preflight, once it has been told what becomes of the members. Nothing depends on that report: `--target` of one host
   * works for a stack whose state knows of none yet.
   */
  private reported(configuration: pulumi.Output<Configuration>): Promise<pulumi.Resource[]> {
    const { name, child, checked } = this;
    const report = new UpdateReport(`${name}-report`, this.membersInputs(configuration), {
      ...child,
      dependsOn: checked,
    });
    return new Promise((resolve) => report.urn.apply(() => resolve([checked])));
  }

  private hosts(needs: pulumi.Resource[] | Promise<pulumi.Resource[]>): Hosts {
    const { name, plan, child } = this;
    const before = this.hooks("before", needs);
    const dependsOn = Promise.resolve(needs).then((all) => [...all, ...before]);
    const bases = new Map(
      plan.hosts.map((host) => [
        host.host,
        new HostBase(
          `${name}-${host.host}`,
          { cluster: name, ...host, trial: this.trialOn(host.host) },
          { ...child, dependsOn },
        ),
      ]),
    );
    const firewalls = new Map(
      plan.firewalls.map((one) => {
        const base = [bases.get(one.host) as HostBase];
        return [one.host, one.beginning ? this.newPorts(one, base) : this.firewall(one, base)];
      }),
    );
    return {
      on: (host) => [firewalls.get(host) ?? (bases.get(host) as HostBase)],
      all: [...bases.values(), ...firewalls.values()],
    };
  }

  /** That of a server that is migrated is tried with all that it has. */
  private trialOn(host: string): TrialInput | null {
    const { patroni, migration, preflight } = this.plan;
    const member = Object.hasOwn(patroni.members, host) && host !== migration?.cutOver.host;
    if (!member || !preflight.trial) return null;
    const dataComes = this.plan.standby ?? migration ?? preflight.bootstrap;
    return { ...preflight.trial, ...(dataComes && { dataComes: true }) };
  }

  /** Of a server that is migrated, servers beside it are let alone. */
  private rulesOf({ host, beginning, rules }: FirewallPlan) {
    const known = beginning
      ? (this.migrated?.apply(({ rules: migrated }) => migrated[host] ?? rules) ?? rules)
      : rules;
    return { cluster: this.name, host, beginning, rules: known, ...LOADED };
  }

  private firewall(one: FirewallPlan, dependsOn: pulumi.Resource[]): Firewall {
    return new Firewall(`${this.name}-${one.host}-firewall`, this.rulesOf(one), {
      ...this.child,
      dependsOn,
    });
  }

  /** Clients of a server that is migrated still come in where its firewall will let none in. */
  private newPorts(one: FirewallPlan, dependsOn: pulumi.Resource[]): NewPorts {
    return new NewPorts(
      `${this.name}-${one.host}-new-ports`,
      { ...this.rulesOf(one), beginning: one.beginning ?? "" },
      { ...this.child, dependsOn },
    );
  }

  private daemon(daemonName: DaemonName, needs: Needs): { readonly [host: string]: Service } {
    return new Daemon(
      `${this.name}-${daemonName}`,
      this.name,
      this.plan.services.filter((service) => service.daemon === daemonName),
      {
        secrets: this.secrets,
        migrated: daemonName === "patroni" ? this.migrated?.apply(({ files }) => files) : undefined,
      },
      needs,
      this.components,
    ).services;
  }

  private hooks(
    when: Parameters<typeof hooks>[0],
    dependsOn: pulumi.Resource[] | Promise<pulumi.Resource[]>,
  ): pulumi.Resource[] {
    return hooks(when, this.settings, this.plan, { parent: this, dependsOn });
  }

  private dcs(hosts: Hosts, configuration: pulumi.Output<Configuration>): pulumi.Resource {
    const { name, plan, child } = this;
    const { members } = plan.dcs;
    const dcs = new EtcdCluster(
      `${name}-etcd-cluster`,
      { cluster: name, members, alarms: [] },
      { ...child, dependsOn: Object.values(this.daemon("etcd", hosts.on)) },
    );
    return new DynamicConfiguration(
      `${name}-configuration`,
      {
        cluster: name,
        host: Object.keys(members)[0] as string,
        endpoints: Object.values(members),
        configuration,
        beginning: plan.standby?.beginning,
        members: plan.patroni.members,
        port: plan.patroni.port,
      },
      { ...child, dependsOn: dcs },
    );
  }

  private logins(hosts: Hosts): pulumi.Resource[] {
    const { logins } = this.plan;
    if (!logins) return [];
    return [
      new Logins(
        `${this.name}-logins`,
        { cluster: this.name, ...logins },
        { ...this.child, dependsOn: [...hosts.all] },
      ),
    ];
  }

  /** Patroni on each member. Of those of a migration only the server that runs has data: the others copy it once it leads. */
  private members(
    dynamic: pulumi.Output<{ readonly [key: string]: unknown }>,
    needs: (host: string) => pulumi.Resource[],
  ): pulumi.Resource[] {
    const { migration, plan } = this;
    if (!migration) return Object.values(this.daemon("patroni", needs));
    let takeover: pulumi.Resource | undefined;
    const led = (made: object) => (takeover ??= migration.takeover(Object.values(made)));
    const members = this.daemon("patroni", (host, made) =>
      host === plan.migration?.cutOver.host
        ? [...needs(host), migration.adoption(dynamic, needs(host))]
        : [...needs(host), led(made)],
    );
    return this.reaches("adopted") ? [...Object.values(members), led(members)] : [];
  }

  /** What of the database tells what becomes of its members. */
  private membersInputs(configuration: pulumi.Output<Configuration>) {
    const { members, port, neverLead, leaderStays, rolling, roles, databases } = this.plan.patroni;
    return {
      ...{ cluster: this.name, members, port, configuration, pendingRestart: [] },
      ...{ neverLead, leaderStays, rolling, roles, databases },
    };
  }

  private database(
    configuration: pulumi.Output<Configuration>,
    dependsOn: pulumi.Resource[],
  ): PatroniCluster {
    const { name, plan, secrets } = this;
    const { patroni } = plan;
    return new PatroniCluster(
      `${name}-patroni-cluster`,
      {
        ...this.membersInputs(configuration),
        dcs: {
          host: Object.keys(plan.dcs.members)[0] as string,
          endpoints: Object.values(plan.dcs.members),
        },
        firstStartSeconds: patroni.firstStartSeconds,
        synchronous: patroni.synchronous,
        filesHash: pulumi.output(this.migrated).apply((migrated) => hashOf(plan, migrated?.files)),
        unloaded: [],
        // Later the cluster's rules are its own.
        ...(this.source && { carried: this.source.apply(carriedRules) }),
        balancers: {
          hosts: plan.entryPoint?.hosts ?? [],
          entrances: ["replica", "synchronous", "asynchronous"],
          statsPort: plan.entryPoint?.statsPort ?? 0,
        },
        // Each an output of its own, so that a new one leaves the others known in a preview.
        passwords: {
          [patroni.internalRoles.replication]: secrets.replication,
          [patroni.internalRoles.rewind]: secrets.rewind,
          ...(plan.backup && {
            [BACKUP_ROLES.backup]: secrets.barman,
            [BACKUP_ROLES.streaming]: secrets.barmanStreaming,
          }),
          ...this.passwords,
        } as pulumi.Input<{ readonly [role: string]: string }>,
      },
      { ...this.child, dependsOn },
    );
  }

  /** HAProxy and Keepalived, which wait for nobody. */
  private balancers(hosts: Hosts): pulumi.Resource[] {
    const haproxy = this.daemon("haproxy", hosts.on);
    const keepalived = this.daemon("keepalived", (host) => [haproxy[host] as pulumi.Resource]);
    return [...Object.values(haproxy), ...Object.values(keepalived)];
  }

  /** What the balancers lead to. */
  private entryPoint(balancers: pulumi.Resource[], database: pulumi.Resource): pulumi.Resource[] {
    const { entryPoint } = this.plan;
    if (!entryPoint) return [];
    return [
      new EntryPoint(
        `${this.name}-entry-point`,
        { cluster: this.name, ...entryPoint },
        { ...this.child, dependsOn: [database, ...balancers] },
      ),
    ];
  }

  private backups(needs: (host: string) => pulumi.Resource[]): pulumi.Resource[] {
    const { backup } = this.plan;
    if (!backup) return [];
    const { host, home, timers } = backup;
    return [
      new Backups(
        `${this.name}-backups`,
        { cluster: this.name, host, home, timers, failedChecks: [], firstBackup: "taken" },
        { ...this.child, dependsOn: Object.values(this.daemon("barman", needs)) },
      ),
    ];
  }

  /** The last step of a migration: the clients move, then the firewall closes the old address. */
  private cutOver(needs: pulumi.Resource[]): void {
    const { migration, standby, plan } = this;
    if ((!migration && !standby) || !this.reaches("cutOver")) return;
    const moved = [...needs, ...this.hooks("cutOver", needs)];
    if (!migration) return;
    const left = migration.cutOver(moved);
    for (const one of plan.firewalls.filter(({ beginning }) => beginning)) {
      this.firewall(one, [left]);
    }
  }
}

/** Of the files of all members. */
function hashOf({ services }: ClusterPlan, migrated: MigratedPlan["files"] = {}): string {
  const files = services
    .filter(({ daemon }) => daemon === "patroni")
    .map(({ host, files }) => [host, migrated[host] ?? files]);
  return createHash("sha256").update(JSON.stringify(files)).digest("hex");
}
