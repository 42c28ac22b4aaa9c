import * as pulumi from "@pulumi/pulumi";
import type * as inputs from "./inputs";

// The classes that the program names. Their types and rules live in the provider; a property given as undefined is an
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
  declare readonly facts: pulumi.Output<inputs.HostsFacts>;

  constructor(
    name: string,
    args: Eventual<inputs.PreflightInputs>,
    opts: pulumi.CustomResourceOptions,
  ) {
    super("pgherd:index:Preflight", name, { ...args, facts: undefined }, opts);
  }
}

/** A host made ready for its services, in one package transaction. */
export class HostBase extends pulumi.CustomResource {
  /** Installed versions by package. */
  declare readonly versions: pulumi.Output<{ [name: string]: string }>;
  /** Settings of the kernel that a container leaves to its machine. */
  declare readonly leftToMachine: pulumi.Output<string[]>;

  constructor(
    name: string,
    args: Eventual<inputs.HostBaseInputs>,
    opts: pulumi.CustomResourceOptions,
  ) {
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
  constructor(
    name: string,
    args: Eventual<inputs.FirewallInputs>,
    opts: pulumi.CustomResourceOptions,
  ) {
    super("pgherd:index:Firewall", name, { ...args }, opts);
  }
}

/** One daemon on one host. */
export class Service extends pulumi.CustomResource {
  constructor(
    name: string,
    args: Eventual<inputs.ServiceInputs>,
    opts: pulumi.CustomResourceOptions,
  ) {
    super("pgherd:index:Service", name, { ...args }, opts);
  }
}

/** What must hold across the etcd members. */
export class EtcdCluster extends pulumi.CustomResource {
  declare readonly clusterId: pulumi.Output<string>;

  constructor(
    name: string,
    args: Eventual<inputs.EtcdClusterInputs>,
    opts: pulumi.CustomResourceOptions,
  ) {
    super("pgherd:index:EtcdCluster", name, { ...args, clusterId: undefined }, opts);
  }
}

/** The configuration that all Patroni members follow, kept in the DCS. */
export class DynamicConfiguration extends pulumi.CustomResource {
  constructor(
    name: string,
    args: Eventual<inputs.DynamicConfigurationInputs>,
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
    args: Eventual<inputs.PatroniClusterInputs>,
    opts: pulumi.CustomResourceOptions,
  ) {
    super("pgherd:index:PatroniCluster", name, { ...args, systemIdentifier: undefined }, opts);
  }
}

/** A writable copy of the database. */
export class Fork extends pulumi.CustomResource {
  /** The member that it was made from, on whose host it stays. */
  declare readonly host: pulumi.Output<string>;

  constructor(name: string, args: Eventual<inputs.ForkInputs>, opts: pulumi.CustomResourceOptions) {
    super("pgherd:index:Fork", name, { ...args, host: undefined }, opts);
  }
}

/** Logins by key from one host to another, each for one command only. */
export class Logins extends pulumi.CustomResource {
  constructor(
    name: string,
    args: Eventual<inputs.LoginsInputs>,
    opts: pulumi.CustomResourceOptions,
  ) {
    super("pgherd:index:Logins", name, { ...args }, opts);
  }
}

/** Backups as a whole. */
export class Backups extends pulumi.CustomResource {
  constructor(
    name: string,
    args: Eventual<inputs.BackupsInputs>,
    opts: pulumi.CustomResourceOptions,
  ) {
    super("pgherd:index:Backups", name, { ...args }, opts);
  }
}

/** What clients connect to. */
export class EntryPoint extends pulumi.CustomResource {
  constructor(
    name: string,
    args: Eventual<inputs.EntryPointInputs>,
    opts: pulumi.CustomResourceOptions,
  ) {
    super("pgherd:index:EntryPoint", name, { ...args }, opts);
  }
}
