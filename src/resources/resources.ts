import * as pulumi from "@pulumi/pulumi";
import type {
  AdoptionInputs,
  CutOverInputs,
  RollbackInputs,
  TakeoverInputs,
} from "./inputs/adoption";
import type { BackupsInputs } from "./inputs/backups";
import type { DynamicConfigurationInputs } from "./inputs/dynamic-configuration";
import type { EntryPointInputs } from "./inputs/entry-point";
import type { EtcdClusterInputs } from "./inputs/etcd-cluster";
import type { FirewallInputs, NewPortsInputs } from "./inputs/firewall";
import type { ForkInputs } from "./inputs/fork";
import type { HostBaseInputs } from "./inputs/host-base";
import type { LoginsInputs } from "./inputs/logins";
import type { PatroniClusterInputs, UpdateReportInputs } from "./inputs/patroni-cluster";
import type { HostsFacts, PreflightInputs } from "./inputs/preflight";
import type { ServiceInputs } from "./inputs/service";
import type { Source } from "./inputs/source";
import type {
  PromotionInputs,
  StandbyClusterInputs,
  StandbyRollbackInputs,
  StandbySlotInputs,
} from "./inputs/standby";
import type { MigrationReportInputs, SurveyInputs } from "./inputs/survey";

// The classes that the program names. What each takes stands in inputs/, plain data: the contract between the program, which
// registers resources, and the provider, which makes them so. Their rules live in the provider; a property given as undefined is an
// output that the provider fills in.

/** Inputs of which any part may come from other resources. */
type Eventual<T> = { readonly [key in keyof T]: pulumi.Input<T[key]> };

/** The connection to all hosts. */
export class Provider extends pulumi.ProviderResource {
  constructor(name: string, inventory: pulumi.Input<object>, opts?: pulumi.ResourceOptions) {
    super("pgherd", name, { inventory }, opts);
  }
}

/** A read-only look at all hosts before the first change. */
export class Preflight extends pulumi.CustomResource {
  /** What was learned about the hosts; known in a preview too. */
  declare readonly facts: pulumi.Output<HostsFacts>;

  constructor(name: string, args: Eventual<PreflightInputs>, opts: pulumi.CustomResourceOptions) {
    super("pgherd:index:Preflight", name, { ...args, facts: undefined }, opts);
  }
}

/** What an update will do to the running members, told before the first change. */
export class UpdateReport extends pulumi.CustomResource {
  constructor(
    name: string,
    args: Eventual<UpdateReportInputs>,
    opts: pulumi.CustomResourceOptions,
  ) {
    super("pgherd:index:UpdateReport", name, { ...args }, opts);
  }
}

/** A read-only look at the server that is to be migrated. */
export class Survey extends pulumi.CustomResource {
  /** The server as it was before anything was changed; known in a preview too. */
  declare readonly source: pulumi.Output<Source>;

  constructor(name: string, args: Eventual<SurveyInputs>, opts: pulumi.CustomResourceOptions) {
    super("pgherd:index:Survey", name, { ...args, source: undefined }, opts);
  }
}

/** What a migration will do to the server, told before the first change. */
export class MigrationReport extends pulumi.CustomResource {
  constructor(
    name: string,
    args: Eventual<MigrationReportInputs>,
    opts: pulumi.CustomResourceOptions,
  ) {
    super("pgherd:index:MigrationReport", name, { ...args }, opts);
  }
}

/** The server made ready to be taken over, without stopping it. */
export class Adoption extends pulumi.CustomResource {
  constructor(name: string, args: Eventual<AdoptionInputs>, opts: pulumi.CustomResourceOptions) {
    super("pgherd:index:Adoption", name, { ...args }, opts);
  }
}

/** The server led by Patroni. */
export class Takeover extends pulumi.CustomResource {
  constructor(name: string, args: Eventual<TakeoverInputs>, opts: pulumi.CustomResourceOptions) {
    super("pgherd:index:Takeover", name, { ...args }, opts);
  }
}

/** The clients moved from the server's own address to the entry point. */
export class CutOver extends pulumi.CustomResource {
  constructor(name: string, args: Eventual<CutOverInputs>, opts: pulumi.CustomResourceOptions) {
    super("pgherd:index:CutOver", name, { ...args }, opts);
  }
}

/** The server standing alone again, as it was found. */
export class Rollback extends pulumi.CustomResource {
  constructor(name: string, args: Eventual<RollbackInputs>, opts: pulumi.CustomResourceOptions) {
    super("pgherd:index:Rollback", name, { ...args }, opts);
  }
}

/** The old server made ready to be followed by a standby cluster. */
export class StandbySlot extends pulumi.CustomResource {
  constructor(name: string, args: Eventual<StandbySlotInputs>, opts: pulumi.CustomResourceOptions) {
    super("pgherd:index:StandbySlot", name, { ...args }, opts);
  }
}

/** The members, as they follow the old server. */
export class StandbyCluster extends pulumi.CustomResource {
  constructor(
    name: string,
    args: Eventual<StandbyClusterInputs>,
    opts: pulumi.CustomResourceOptions,
  ) {
    super("pgherd:index:StandbyCluster", name, { ...args }, opts);
  }
}

/** The cluster in the old server's place. */
export class Promotion extends pulumi.CustomResource {
  constructor(name: string, args: Eventual<PromotionInputs>, opts: pulumi.CustomResourceOptions) {
    super("pgherd:index:Promotion", name, { ...args }, opts);
  }
}

/** The old server alone again, and the members that followed it out of service. */
export class StandbyRollback extends pulumi.CustomResource {
  constructor(
    name: string,
    args: Eventual<StandbyRollbackInputs>,
    opts: pulumi.CustomResourceOptions,
  ) {
    super("pgherd:index:StandbyRollback", name, { ...args }, opts);
  }
}

/** A host made ready for its services, in one package transaction. */
export class HostBase extends pulumi.CustomResource {
  /** Installed versions by package. */
  declare readonly versions: pulumi.Output<{ [name: string]: string }>;
  /** Settings of the kernel that a container leaves to its machine. */
  declare readonly leftToMachine: pulumi.Output<string[]>;

  constructor(name: string, args: Eventual<HostBaseInputs>, opts: pulumi.CustomResourceOptions) {
    super(
      "pgherd:index:HostBase",
      name,
      { ...args, versions: undefined, leftToMachine: undefined },
      opts,
    );
  }
}

/** Which packets a host lets in. */
export class Firewall extends pulumi.CustomResource {
  constructor(name: string, args: Eventual<FirewallInputs>, opts: pulumi.CustomResourceOptions) {
    super("pgherd:index:Firewall", name, { ...args }, opts);
  }
}

/** Which packets the host of a server that is migrated lets in, from the first step on. */
export class NewPorts extends pulumi.CustomResource {
  constructor(name: string, args: Eventual<NewPortsInputs>, opts: pulumi.CustomResourceOptions) {
    super("pgherd:index:NewPorts", name, { ...args }, opts);
  }
}

/** One daemon on one host. */
export class Service extends pulumi.CustomResource {
  constructor(name: string, args: Eventual<ServiceInputs>, opts: pulumi.CustomResourceOptions) {
    super("pgherd:index:Service", name, { ...args }, opts);
  }
}

/** What must hold across the etcd members. */
export class EtcdCluster extends pulumi.CustomResource {
  declare readonly clusterId: pulumi.Output<string>;

  constructor(name: string, args: Eventual<EtcdClusterInputs>, opts: pulumi.CustomResourceOptions) {
    super("pgherd:index:EtcdCluster", name, { ...args, clusterId: undefined }, opts);
  }
}

/** The configuration that all Patroni members follow, kept in the DCS. */
export class DynamicConfiguration extends pulumi.CustomResource {
  constructor(
    name: string,
    args: Eventual<DynamicConfigurationInputs>,
    opts: pulumi.CustomResourceOptions,
  ) {
    super("pgherd:index:DynamicConfiguration", name, { ...args }, opts);
  }
}

/** A leader with its replicas, roles and databases. */
export class PatroniCluster extends pulumi.CustomResource {
  /** Of the data: stays the same for the life of the database. */
  declare readonly systemIdentifier: pulumi.Output<string>;

  constructor(
    name: string,
    args: Eventual<PatroniClusterInputs>,
    opts: pulumi.CustomResourceOptions,
  ) {
    super("pgherd:index:PatroniCluster", name, { ...args, systemIdentifier: undefined }, opts);
  }
}

/** A writable copy of the database. */
export class Fork extends pulumi.CustomResource {
  /** The member that it was made from, on whose host it stays. */
  declare readonly host: pulumi.Output<string>;

  constructor(name: string, args: Eventual<ForkInputs>, opts: pulumi.CustomResourceOptions) {
    super("pgherd:index:Fork", name, { ...args, host: undefined }, opts);
  }
}

/** Logins by key from one host to another, each for one command only. */
export class Logins extends pulumi.CustomResource {
  constructor(name: string, args: Eventual<LoginsInputs>, opts: pulumi.CustomResourceOptions) {
    super("pgherd:index:Logins", name, { ...args }, opts);
  }
}

/** Backups as a whole. */
export class Backups extends pulumi.CustomResource {
  constructor(name: string, args: Eventual<BackupsInputs>, opts: pulumi.CustomResourceOptions) {
    super("pgherd:index:Backups", name, { ...args }, opts);
  }
}

/** What clients connect to. */
export class EntryPoint extends pulumi.CustomResource {
  constructor(name: string, args: Eventual<EntryPointInputs>, opts: pulumi.CustomResourceOptions) {
    super("pgherd:index:EntryPoint", name, { ...args }, opts);
  }
}
