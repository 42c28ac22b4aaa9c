import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/schema";
import { BACKUP_ROLES } from "../plan/backup";
import { planCluster } from "../plan/plan";
import type { ClusterPlan, Daemon as DaemonName, ServicePlan } from "../plan/types";
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
} from "../resources/resources";
import { Daemon } from "./daemon";
import { Forks } from "./forks";
import { hooks } from "./hooks";
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
  readonly forks: { readonly [fork: string]: pulumi.Output<string> };
  /** Of every login role on a fork, by fork. */
  readonly forkPasswords: { readonly [fork: string]: pulumi.Output<string> };

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
    const before = hooks("before", settings, plan, { parent: this, dependsOn: checked });
    const bases = Object.fromEntries(
      plan.hosts.map((host) => [
        host.host,
        new HostBase(
          `${name}-${host.host}`,
          { cluster: name, ...host },
          { ...child, dependsOn: [checked, ...before] },
        ),
      ]),
    );
    const firewalls = Object.fromEntries(
      plan.firewalls.map(({ host, rules }) => [
        host,
        new Firewall(
          `${name}-${host}-firewall`,
          { cluster: name, host, rules, loaded: "active", enabled: "enabled" },
          { ...child, dependsOn: bases[host] },
        ),
      ]),
    );
    const base = (host: string) => [firewalls[host] ?? (bases[host] as HostBase)];
    const daemon = (daemonName: DaemonName, needs: (host: string) => pulumi.Resource[]) =>
      new Daemon(
        `${name}-${daemonName}`,
        name,
        plan.services.filter((service) => service.daemon === daemonName),
        secrets,
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
        configuration: checked.facts.apply(plan.patroni.dynamicConfiguration),
      },
      { ...child, dependsOn: dcs },
    );
    const logins = this.logins(plan, child, [...Object.values(bases), ...Object.values(firewalls)]);
    const patroni = daemon("patroni", (host) => [...base(host), configuration, ...logins]);
    const database = new PatroniCluster(
      `${name}-patroni-cluster`,
      {
        cluster: name,
        members: plan.patroni.members,
        port: plan.patroni.port,
        firstStartSeconds: plan.patroni.firstStartSeconds,
        synchronous: plan.patroni.synchronous,
        configuration: checked.facts.apply(plan.patroni.dynamicConfiguration),
        filesHash: hashOf(plan.services.filter((service) => service.daemon === "patroni")),
        pendingRestart: [],
        neverLead: plan.patroni.neverLead,
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
    const ready = this.entryPoint(plan, child, [
      database,
      ...Object.values(haproxy),
      ...Object.values(keepalived),
    ]);
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
      dependsOn: [database, ...ready, ...(forks ? [forks] : []), ...backups],
    });

    this.systemIdentifier = database.systemIdentifier;
    this.passwords = passwords;
    this.forks = forks?.connection ?? {};
    this.forkPasswords = forks?.passwords ?? {};
    this.statsPassword = secrets.apply((known) => known.stats);
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

function hashOf(services: readonly ServicePlan[]): string {
  const files = services.map(({ host, files }) => [host, files]);
  return createHash("sha256").update(JSON.stringify(files)).digest("hex");
}
