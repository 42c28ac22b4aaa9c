import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/schema";
import { BACKUP_ROLES } from "../plan/backup";
import { planCluster } from "../plan/plan";
import type { ClusterPlan, Daemon as DaemonName, FirewallPlan } from "../plan/types";
import type { Source } from "../resources/inputs";
import {
  Backups,
  DynamicConfiguration,
  EntryPoint,
  EtcdCluster,
  Firewall,
  HostBase,
  Logins,
  PatroniCluster,
  Preflight,
  Provider,
  Rollback,
} from "../resources/resources";
import { Daemon, type Needs } from "./daemon";
import { Forks } from "./forks";
import { hooks } from "./hooks";
import { Migration } from "./migration";
import { Passwords } from "./passwords";

/** A highly available PostgreSQL cluster: everything that its plan names, in the order in which it can start. */
export class Cluster extends pulumi.ComponentResource {
  /** Of the data: stays the same for the life of the database. */
  readonly systemIdentifier: pulumi.Output<string>;
  /** Passwords by login role. */
  readonly passwords: { readonly [user: string]: pulumi.Output<string> };
  /** Of the user `stats` of the statistics page. */
  readonly statsPassword: pulumi.Output<string>;
  /** What clients connect to the stack's forks with, by fork. */
  readonly forks: { readonly [fork: string]: pulumi.Output<string> } = {};
  /** Of every login role on a fork, by fork. */
  readonly forkPasswords: { readonly [fork: string]: pulumi.Output<string> } = {};

  private readonly name: string;

  constructor(name: string, settings: Settings, opts?: pulumi.ComponentResourceOptions) {
    super("pgherd:component:Cluster", name, {}, opts);
    this.name = name;
    const { hosts, ssh, cluster } = settings;
    const plan = planCluster(settings);
    const provider = new Provider(`${name}-hosts`, { hosts, ssh }, { parent: this });
    const child = { parent: this, provider };
    const users = cluster.postgresql.users.map((user) => user.name);
    const { secrets, users: passwords } = new Passwords(
      `${name}-passwords`,
      users,
      plan.backup !== undefined,
      { parent: this },
    );

    const checked = new Preflight(`${name}-preflight`, { cluster: name, ...plan.preflight }, child);
    this.passwords = passwords;
    this.statsPassword = secrets.apply((known) => known.stats);
    if (plan.migration?.rollback) {
      new Rollback(
        `${name}-rollback`,
        { cluster: name, ...plan.migration.rollback },
        { ...child, dependsOn: checked },
      );
      this.systemIdentifier = pulumi.output("");
      this.registerOutputs({ systemIdentifier: this.systemIdentifier });
      return;
    }
    const migration =
      plan.migration &&
      new Migration(name, plan.migration, checked, {
        parent: this,
        providers: { pgherd: provider },
      });
    const source = migration?.source;
    const dynamic = pulumi
      .all([checked.facts, source])
      .apply(([facts, known]) => plan.patroni.dynamicConfiguration(facts, known));
    const told = migration ? [migration.report(dynamic)] : [];

    const before = hooks("before", settings, plan, { parent: this, dependsOn: [checked, ...told] });
    const bases = Object.fromEntries(
      plan.hosts.map((host) => [
        host.host,
        new HostBase(
          `${name}-${host.host}`,
          { cluster: name, ...host },
          { ...child, dependsOn: [checked, ...told, ...before] },
        ),
      ]),
    );
    const firewall = ({ host, rules }: FirewallPlan, dependsOn: pulumi.Resource[]) =>
      new Firewall(
        `${name}-${host}-firewall`,
        { cluster: name, host, rules, loaded: "active", enabled: "enabled" },
        { ...child, dependsOn },
      );
    // Clients of a server that is migrated still come in where the firewall will let none in.
    const isOpen = ({ host }: FirewallPlan) => host === plan.migration?.cutOver.host;
    const firewalls = Object.fromEntries(
      plan.firewalls
        .filter((one) => !isOpen(one))
        .map((one) => [one.host, firewall(one, [bases[one.host] as HostBase])]),
    );
    const base = (host: string) => [firewalls[host] ?? (bases[host] as HostBase)];
    const daemon = (daemonName: DaemonName, needs: Needs) =>
      new Daemon(
        `${name}-${daemonName}`,
        name,
        plan.services.filter((service) => service.daemon === daemonName),
        { secrets, source },
        needs,
        { parent: this, providers: { pgherd: provider } },
      ).services;

    const etcd = daemon("etcd", base);
    const haproxy = daemon("haproxy", base);
    const keepalived = daemon("keepalived", (host) => [haproxy[host] as pulumi.Resource]);
    const dcs = new EtcdCluster(
      `${name}-etcd-cluster`,
      { cluster: name, members: plan.etcd.members },
      { ...child, dependsOn: Object.values(etcd) },
    );
    const configuration = new DynamicConfiguration(
      `${name}-configuration`,
      {
        cluster: name,
        host: Object.keys(plan.etcd.members)[0] as string,
        endpoints: Object.values(plan.etcd.members),
        configuration: dynamic,
      },
      { ...child, dependsOn: dcs },
    );
    const logins = this.logins(plan, child, [...Object.values(bases), ...Object.values(firewalls)]);
    const adopted: pulumi.Resource[] = [];
    const patroni = daemon("patroni", (host, made) => {
      const needs = [...base(host), configuration, ...logins];
      if (!migration) return needs;
      if (host === plan.migration?.cutOver.host) return [...needs, migration.adoption(needs)];
      // Only the server that is migrated has data: the others copy it once it leads.
      if (adopted.length === 0) adopted.push(migration.takeover(Object.values(made)));
      return [...needs, ...adopted];
    });
    if (migration && !plan.reaches("replicated")) {
      if (plan.reaches("adopted")) migration.takeover(Object.values(patroni));
      this.systemIdentifier = migration.source.systemIdentifier;
      this.registerOutputs({ systemIdentifier: this.systemIdentifier });
      return;
    }
    const database = new PatroniCluster(
      `${name}-patroni-cluster`,
      {
        cluster: name,
        members: plan.patroni.members,
        port: plan.patroni.port,
        firstStartSeconds: plan.patroni.firstStartSeconds,
        synchronous: plan.patroni.synchronous,
        configuration: dynamic,
        filesHash: pulumi.output(source).apply((known) => hashOf(plan, known)),
        pendingRestart: [],
        neverLead: plan.patroni.neverLead,
        leaderStays: plan.patroni.leaderStays,
        rolling: plan.patroni.rolling,
        balancers: {
          hosts: plan.entryPoint?.hosts ?? [],
          entrances: ["replica", "synchronous", "asynchronous"],
          statsPort: plan.entryPoint?.statsPort ?? 0,
        },
        roles: plan.patroni.roles,
        databases: plan.patroni.databases,
        passwords: pulumi.all({
          [plan.patroni.internalRoles.replication]: secrets.apply((known) => known.replication),
          [plan.patroni.internalRoles.rewind]: secrets.apply((known) => known.rewind),
          ...(plan.backup
            ? {
                [BACKUP_ROLES.backup]: secrets.apply((known) => known.barman ?? ""),
                [BACKUP_ROLES.streaming]: secrets.apply((known) => known.barmanStreaming ?? ""),
              }
            : {}),
          ...passwords,
        }),
      },
      { ...child, dependsOn: [configuration, ...Object.values(patroni)] },
    );
    const ready = [
      database,
      ...this.entryPoint(plan, child, [
        database,
        ...Object.values(haproxy),
        ...Object.values(keepalived),
      ]),
    ];
    if (migration && plan.reaches("cutOver")) {
      const moving = hooks("cutOver", settings, plan, { parent: this, dependsOn: ready });
      const moved = migration.cutOver([...ready, ...moving]);
      for (const one of plan.firewalls.filter(isOpen)) firewall(one, [moved]);
    }
    const forks =
      plan.forks.length > 0
        ? new Forks(`${name}-forks`, settings, plan.forks, database, {
            parent: this,
            providers: { pgherd: provider },
          })
        : undefined;
    const backups = this.backups(plan, child, () =>
      Object.values(daemon("barman", (host) => [...base(host), ...logins, database, ...ready])),
    );
    hooks("after", settings, plan, {
      parent: this,
      dependsOn: [...ready, ...(forks ? [forks] : []), ...backups],
    });

    this.systemIdentifier = database.systemIdentifier;
    if (forks) {
      this.forks = forks.connection;
      this.forkPasswords = forks.passwords;
    }
    this.registerOutputs({ systemIdentifier: this.systemIdentifier });
  }

  private logins(
    { logins }: ClusterPlan,
    opts: pulumi.CustomResourceOptions,
    dependsOn: pulumi.Resource[],
  ): pulumi.Resource[] {
    if (!logins) return [];
    return [
      new Logins(`${this.name}-logins`, { cluster: this.name, ...logins }, { ...opts, dependsOn }),
    ];
  }

  private backups(
    { backup }: ClusterPlan,
    opts: pulumi.CustomResourceOptions,
    barman: () => pulumi.Resource[],
  ): pulumi.Resource[] {
    if (!backup) return [];
    const { host, home, timers } = backup;
    return [
      new Backups(
        `${this.name}-backups`,
        { cluster: this.name, host, home, timers, failedChecks: [], firstBackup: "taken" },
        { ...opts, dependsOn: barman() },
      ),
    ];
  }

  private entryPoint(
    { entryPoint }: ClusterPlan,
    opts: pulumi.CustomResourceOptions,
    dependsOn: pulumi.Resource[],
  ): pulumi.Resource[] {
    if (!entryPoint) return [];
    return [
      new EntryPoint(
        `${this.name}-entry-point`,
        { cluster: this.name, ...entryPoint },
        { ...opts, dependsOn },
      ),
    ];
  }
}

/** Of the files of all members. */
function hashOf({ services }: ClusterPlan, source: Source | undefined): string {
  const files = services
    .filter(({ daemon }) => daemon === "patroni")
    .map(({ host, files, migratedFiles }) => [host, (source && migratedFiles?.(source)) ?? files]);
  return createHash("sha256").update(JSON.stringify(files)).digest("hex");
}
