import * as pulumi from "@pulumi/pulumi";
import type { GivenSecret } from "../config/parse";
import type { Settings } from "../config/schema";
import { dcsAddress, firstToAsk } from "../plan/dcs";
import { planConfiguration } from "../plan/dynamic-configuration";
import { planCluster } from "../plan/plan";
import { givenFor } from "../plan/secrets";
import type { ExistingDcsPlan } from "../plan/types";
import {
  Backups,
  DcsCluster,
  DynamicConfiguration,
  EntryPoint,
  ExistingDcs,
  Logins,
  Preflight,
  Provider,
  Rollback,
  type Service,
  StandbyRollback,
} from "../resources/resources";
import { kindOfDcs, namedKind } from "../roles/dcs";
import type { RoleName, SecretName } from "../roles/roles";
import { type Configuration, type Context, type Found, reaches } from "./context";
import { Daemon, secretFiles, type Needs } from "./daemon";
import { database, reported } from "./database";
import { dcsAccess, formerTokens } from "./dcs-secrets";
import { Forks } from "./forks";
import { hooks } from "./hooks";
import { firewall, type Hosts, prepareHosts } from "./hosts";
import { afterOthers, departed, type Motion, motionOf } from "./membership";
import { Migration } from "../migration/components/adoption";
import { Passwords, type SecretOf } from "./passwords";
import { serviceFiles } from "./service-files";
import { crossingsOf, farewell, formerOf, joinsOf } from "./voters";
import { StandbyMigration } from "../migration/components/standby-cluster";

/** What the user has given in place of what is generated. */
export type GivenSecrets = { readonly [secret in GivenSecret]?: pulumi.Output<string> };

function dcsFiles({ files, secretFiles: secret }: ExistingDcsPlan, secretOf: SecretOf) {
  return { ...files, ...secretFiles(secret, secretOf) };
}

function givenSecret(given: GivenSecrets, secret: SecretName) {
  const [found] = givenFor(secret).flatMap((name) => given[name] ?? []);
  // As a file or a command has handed it over.
  return found?.apply((text) => text.replace(/\n+$/, ""));
}

/** Everything that a cluster's plan names, in the order in which it can start. */
export class Assembly {
  readonly systemIdentifier: pulumi.Output<string>;
  readonly passwords: Passwords["users"];
  readonly statsPassword: pulumi.Output<string>;
  readonly forks?: Forks;

  private readonly context: Context;
  private readonly secretOf: SecretOf;
  private readonly checked: Preflight;
  private readonly migration?: Migration;
  private readonly standby?: StandbyMigration;
  private readonly found: Found;
  private readonly motion: Promise<Motion>;
  private readonly crossings: ReturnType<typeof crossingsOf>;

  /**
   * @param prefix what the names of the resources begin with.
   * @param given secrets that the stack's settings ask for.
   */
  constructor(
    prefix: string,
    settings: Settings,
    given: GivenSecrets,
    parent: pulumi.ComponentResource,
  ) {
    const { hosts, ssh, cluster } = settings;
    const plan = planCluster(settings);
    const { removed = [] } = cluster;
    const inventory = { hosts, ssh, ...(removed.length > 0 && { removed }) };
    const provider = new Provider(`${prefix}-hosts`, inventory, { parent });
    const child = { parent, provider };
    const components = { parent, providers: { pgherd: provider } };
    this.context = { prefix, cluster: cluster.name, settings, plan, child, components };
    const users = cluster.postgresql.users.map((user) => user.name);
    const generated = new Passwords(`${prefix}-passwords`, users, plan.secrets, { parent });
    this.secretOf = (secret) => givenSecret(given, secret) ?? generated.secret(secret);
    this.passwords = generated.users;
    this.statsPassword = generated.secret({ role: "haproxy", name: "stats" });
    this.checked = new Preflight(
      `${prefix}-preflight`,
      {
        cluster: cluster.name,
        ...plan.preflight,
        ...(plan.existingDcs && {
          existingDcs: plan.existingDcs.inputs,
          dcsFiles: dcsFiles(plan.existingDcs, this.secretOf),
        }),
        // Those of a server that is migrated are known only once it has been looked at, which comes later.
        ...(!plan.migration && !plan.standby && { services: serviceFiles(plan) }),
      },
      child,
    );
    this.motion = motionOf(this.checked, plan.preflight.fixed);
    this.crossings = crossingsOf(this.context, this.motion);
    if (plan.migration && !plan.migration.rollback) {
      this.migration = new Migration(this.context, plan.migration, this.checked);
    }
    if (plan.standby && !plan.standby.rollback) {
      const password = given.migrationPassword ?? "";
      this.standby = new StandbyMigration(this.context, plan.standby, password, this.checked);
    }
    const { source, migrated } = this.migration ?? this.standby ?? {};
    this.found = { source, migrated };
    const goesBack = plan.migration?.rollback ?? plan.standby?.rollback;
    const built = goesBack ? this.goBack() : this.build();
    this.systemIdentifier = built.systemIdentifier;
    this.forks = built.forks;
  }

  /** Undoes a migration. What else there was of the cluster is taken out of service afterwards, as by a destroy. */
  private goBack(): Pick<Assembly, "systemIdentifier" | "forks"> {
    const { prefix, cluster, plan, child } = this.context;
    const opts = { ...child, dependsOn: this.checked };
    if (plan.migration?.rollback) {
      new Rollback(`${prefix}-rollback`, { cluster, ...plan.migration.rollback }, opts);
    }
    if (plan.standby?.rollback) {
      new StandbyRollback(`${prefix}-rollback`, { cluster, ...plan.standby.rollback }, opts);
    }
    return { systemIdentifier: pulumi.output("") };
  }

  private build(): Pick<Assembly, "systemIdentifier" | "forks"> {
    const { context, migration, standby } = this;
    const { prefix, settings, plan } = context;
    const { source } = this.found;
    const dynamic = pulumi
      .all([this.checked.facts, source])
      .apply(([facts, found]) => planConfiguration(settings, facts, found));
    const told = (migration ?? standby)?.report(dynamic);
    const hosts = this.hosts(
      told ? [this.checked, told] : reported(context, this.checked, dynamic),
    );
    const configuration = this.dcs(hosts, dynamic);
    const logins = this.logins(hosts);
    const slot = standby && reaches(context, "replicated") ? [standby.slot([configuration])] : [];
    let balanced: (made: pulumi.Resource[]) => void = () => {};
    const balancing = new Promise<pulumi.Resource[]>((resolve) => (balanced = resolve));
    const members = this.members(
      dynamic,
      (host) => [...hosts.on(host), configuration, ...logins, ...slot],
      async () => [...hosts.all, ...(await balancing)],
    );
    if (source && !reaches(context, "replicated")) {
      return { systemIdentifier: source.systemIdentifier };
    }
    const made = [configuration, ...members];
    formerTokens(context, this.secretOf, made);
    const known = farewell(context, this.motion, this.crossings, made);
    const following = standby ? [standby.following(made)] : [];
    if (source && standby && !reaches(context, "cutOver")) {
      this.balancers(hosts);
      return { systemIdentifier: source.systemIdentifier };
    }
    const balancers = this.balancers(hosts);
    balanced(balancers);
    const promoted = standby ? [standby.promotion([...following, ...balancers])] : [];
    const passwords = { secretOf: this.secretOf, users: this.passwords };
    const served = database(
      context,
      this.found,
      passwords,
      dynamic,
      known.then((all): pulumi.Resource[] => [...all, ...promoted]),
    );
    const ready = [served, ...this.entryPoint(balancers, served)];
    const backups = this.backups((host) => [...hosts.on(host), ...logins, ...ready]);
    this.cutOver(standby ? promoted : [...ready, ...backups]);
    const forks = plan.forks.length > 0 ? new Forks(`${prefix}-forks`, context, served) : undefined;
    this.hooks("after", [...ready, ...backups, ...(forks ? [forks] : [])]);
    return { systemIdentifier: served.systemIdentifier, forks };
  }

  private hosts(needs: pulumi.Resource[] | Promise<pulumi.Resource[]>): Hosts {
    const before = this.hooks("before", needs);
    const dependsOn = Promise.resolve(needs).then((all) =>
      departed(this.context, this.motion, [...all, ...before]),
    );
    return prepareHosts(this.context, this.found, dependsOn, this.crossings);
  }

  private daemon(daemonName: RoleName, needs: Needs): { readonly [host: string]: Service } {
    const { context, secretOf, found } = this;
    return new Daemon(
      context,
      daemonName,
      {
        secretOf,
        joins: (host) => joinsOf(context, this.motion, host),
        migrated:
          daemonName === "patroni" ? found.migrated?.apply(({ files }) => files) : undefined,
      },
      needs,
    ).services;
  }

  private hooks(
    when: Parameters<typeof hooks>[0],
    dependsOn: pulumi.Resource[] | Promise<pulumi.Resource[]>,
  ): pulumi.Resource[] {
    return hooks(when, this.context, dependsOn);
  }

  private dcs(hosts: Hosts, configuration: pulumi.Output<Configuration>): pulumi.Resource {
    const { prefix, cluster, plan, child } = this.context;
    const dcs = [
      ...(plan.existingDcs ? [this.existingDcs(plan.existingDcs, hosts)] : []),
      ...this.ownDcs(hosts),
    ];
    return new DynamicConfiguration(
      `${prefix}-configuration`,
      {
        cluster,
        host: firstToAsk(plan),
        ...dcsAddress(plan.dcs),
        configuration,
        beginning: plan.standby?.beginning,
        members: plan.patroni.members,
        port: plan.patroni.port,
        move: plan.move,
      },
      { ...child, dependsOn: dcs },
    );
  }

  /** Of each kind that pgherd deploys: two, while the cluster goes from one to the other. */
  private ownDcs(hosts: Hosts): pulumi.Resource[] {
    const { prefix, cluster, plan, child } = this.context;
    return plan.ownDcs.map(({ kind, members, access, keepsVoters }) => {
      // Who votes takes new secrets beside the old ones before anybody uses them.
      const voters = this.daemon(kindOfDcs(kind).role, async (host, made) => [
        ...hosts.on(host),
        ...(Object.hasOwn(members, host) ? [] : Object.values(made)),
        ...((await this.motion).joining?.includes(host) ? hosts.all : []),
      ]);
      return new DcsCluster(
        `${prefix}-${kind}-cluster`,
        {
          cluster,
          ...namedKind(kind),
          members,
          alarms: [],
          keepsVoters,
          ...(kind === plan.dcs.kind && { former: formerOf(this.context, this.motion) }),
          access: access && dcsAccess(access, this.secretOf),
        },
        { ...child, dependsOn: Object.values(voters) },
      );
    });
  }

  /** Members have what they are let in with once they have the users that may read it. */
  private existingDcs(plan: ExistingDcsPlan, hosts: Hosts): pulumi.Resource {
    const { prefix, cluster, child } = this.context;
    const inputs = { cluster, ...plan.inputs, files: dcsFiles(plan, this.secretOf) };
    return new ExistingDcs(`${prefix}-existing-dcs`, inputs, {
      ...child,
      dependsOn: [...hosts.all],
    });
  }

  private logins(hosts: Hosts): pulumi.Resource[] {
    const { prefix, cluster, plan, child } = this.context;
    if (!plan.logins) return [];
    const opts = { ...child, dependsOn: [...hosts.all] };
    return [new Logins(`${prefix}-logins`, { cluster, ...plan.logins }, opts)];
  }

  /**
   * Patroni on each member. Of those of a migration only the server that runs has data: the others copy it once it leads.
   * @param others what must be there of all others before a member joins a cluster that runs.
   */
  private members(
    dynamic: pulumi.Output<Configuration>,
    needs: (host: string) => pulumi.Resource[],
    others: () => Promise<pulumi.Resource[]>,
  ): pulumi.Resource[] {
    const { migration, context, motion } = this;
    if (!migration)
      return Object.values(this.daemon("patroni", afterOthers(motion, needs, others)));
    let takeover: pulumi.Resource | undefined;
    const led = (made: object) => (takeover ??= migration.takeover(Object.values(made)));
    const members = this.daemon("patroni", (host, made) =>
      host === context.plan.migration?.cutOver.host
        ? [...needs(host), migration.adoption(dynamic, needs(host))]
        : [...needs(host), led(made)],
    );
    return reaches(context, "adopted") ? [...Object.values(members), led(members)] : [];
  }

  /** HAProxy and Keepalived, which wait for nobody. */
  private balancers(hosts: Hosts): pulumi.Resource[] {
    const haproxy = this.daemon("haproxy", hosts.on);
    const keepalived = this.daemon("keepalived", (host) => [haproxy[host] as pulumi.Resource]);
    return [...Object.values(haproxy), ...Object.values(keepalived)];
  }

  /** What the balancers lead to. */
  private entryPoint(balancers: pulumi.Resource[], served: pulumi.Resource): pulumi.Resource[] {
    const { prefix, cluster, plan, child } = this.context;
    if (!plan.entryPoint) return [];
    const opts = { ...child, dependsOn: [served, ...balancers] };
    return [new EntryPoint(`${prefix}-entry-point`, { cluster, ...plan.entryPoint }, opts)];
  }

  private backups(needs: (host: string) => pulumi.Resource[]): pulumi.Resource[] {
    const { prefix, cluster, plan, child } = this.context;
    if (!plan.backup) return [];
    const { host, home, timers } = plan.backup;
    return [
      new Backups(
        `${prefix}-backups`,
        { cluster, host, home, timers, failedChecks: [], firstBackup: "taken" },
        { ...child, dependsOn: Object.values(this.daemon("barman", needs)) },
      ),
    ];
  }

  /** The last step of a migration: the clients move, then the firewall closes the old address. */
  private cutOver(needs: pulumi.Resource[]): void {
    const { migration, standby, context } = this;
    if ((!migration && !standby) || !reaches(context, "cutOver")) return;
    const moved = [...needs, ...this.hooks("cutOver", needs)];
    if (!migration) return;
    const left = migration.cutOver(moved);
    for (const one of context.plan.firewalls.filter(({ beginning }) => beginning)) {
      firewall(context, this.found, one, [left]);
    }
  }
}
