import * as pulumi from "@pulumi/pulumi";
import type {
  AdoptionInputs,
  CutOverInputs,
  RollbackInputs,
  TakeoverInputs,
} from "../migration/inputs/adoption";
import type { Eventual } from "./eventual";
import type { BackupsInputs } from "./inputs/backups";
import type { DepartureInputs } from "./inputs/departure";
import type { DynamicConfigurationInputs } from "./inputs/dynamic-configuration";
import type { EntryPointInputs } from "./inputs/entry-point";
import type {
  DcsClusterInputs,
  FormerTokensInputs,
  FormerVotersInputs,
} from "./inputs/dcs-cluster";
import type { ExistingDcsInputs } from "./inputs/existing-dcs";
import type { FirewallInputs, NewPortsInputs } from "./inputs/firewall";
import type { ForkInputs } from "./inputs/fork";
import type { HostBaseInputs } from "./inputs/host-base";
import type { LoginsInputs } from "./inputs/logins";
import type { PatroniClusterInputs, UpdateReportInputs } from "./inputs/patroni-cluster";
import type { HostsFacts, PreflightInputs } from "./inputs/preflight";
import type { ServiceInputs } from "./inputs/service";
import type { Source } from "../migration/inputs/source";
import type {
  PromotionInputs,
  StandbyClusterInputs,
  StandbyRollbackInputs,
  StandbySlotInputs,
} from "../migration/inputs/standby";
import type { MigrationReportInputs, SurveyInputs } from "../migration/inputs/survey";

// The classes that the program names. What each takes stands in inputs/, plain data: the contract between the program, which
// registers resources, and the provider, which makes them so. Their rules live in the provider.

/** The connection to all hosts. */
export class Provider extends pulumi.ProviderResource {
  constructor(name: string, inventory: pulumi.Input<object>, opts?: pulumi.ResourceOptions) {
    super("pgherd", name, { inventory }, opts);
  }
}

type Arguments<Inputs> = { readonly [name in keyof Inputs]: Eventual<Inputs[name]> };

type ResourceClass<Inputs> = new (
  name: string,
  args: Arguments<Inputs>,
  opts: pulumi.CustomResourceOptions,
) => pulumi.CustomResource;

/**
 * The class of a type of resource.
 * @param outputs properties that the provider fills in.
 */
function resource<Inputs>(type: string, ...outputs: readonly string[]): ResourceClass<Inputs> {
  const unknown = Object.fromEntries(outputs.map((output) => [output, undefined]));
  return class extends pulumi.CustomResource {
    constructor(name: string, args: Arguments<Inputs>, opts: pulumi.CustomResourceOptions) {
      super(`pgherd:index:${type}`, name, { ...args, ...unknown }, opts);
    }
  };
}

/** A read-only look at all hosts before the first change. */
export class Preflight extends resource<PreflightInputs>("Preflight", "facts") {
  /** What was learned about the hosts; known in a preview too. */
  declare readonly facts: pulumi.Output<HostsFacts>;
  /** As they were when the hosts were looked at: of an earlier run where this one leaves it out (`--target`). */
  declare readonly fixed: pulumi.Output<PreflightInputs["fixed"]>;
}

/** What an update will do to the running members, told before the first change. */
export class UpdateReport extends resource<UpdateReportInputs>("UpdateReport") {}

/** Former members out of service, each in order and before the others shut it out. */
export class Departure extends resource<DepartureInputs>("Departure") {}

/** A read-only look at the server that is to be migrated. */
export class Survey extends resource<SurveyInputs>("Survey", "source") {
  /** The server as it was before anything was changed; known in a preview too. */
  declare readonly source: pulumi.Output<Source>;
}

/** What a migration will do to the server, told before the first change. */
export class MigrationReport extends resource<MigrationReportInputs>("MigrationReport") {}

/** The server made ready to be taken over, without stopping it. */
export class Adoption extends resource<AdoptionInputs>("Adoption") {}

/** The server led by Patroni. */
export class Takeover extends resource<TakeoverInputs>("Takeover") {}

/** The clients moved from the server's own address to the entry point. */
export class CutOver extends resource<CutOverInputs>("CutOver") {}

/** The server standing alone again, as it was found. */
export class Rollback extends resource<RollbackInputs>("Rollback") {}

/** The old server made ready to be followed by a standby cluster. */
export class StandbySlot extends resource<StandbySlotInputs>("StandbySlot") {}

/** The members, as they follow the old server. */
export class StandbyCluster extends resource<StandbyClusterInputs>("StandbyCluster") {}

/** The cluster in the old server's place. */
export class Promotion extends resource<PromotionInputs>("Promotion") {}

/** The old server alone again, and the members that followed it out of service. */
export class StandbyRollback extends resource<StandbyRollbackInputs>("StandbyRollback") {}

/** A host made ready for its services, in one package transaction. */
export class HostBase extends resource<HostBaseInputs>("HostBase", "versions", "leftToMachine") {
  /** Installed versions by package. */
  declare readonly versions: pulumi.Output<{ [name: string]: string }>;
  /** Settings of the kernel that a container leaves to its machine. */
  declare readonly leftToMachine: pulumi.Output<string[]>;
}

/** Which packets a host lets in. */
export class Firewall extends resource<FirewallInputs>("Firewall") {}

/** Which packets the host of a server that is migrated lets in, from the first step on. */
export class NewPorts extends resource<NewPortsInputs>("NewPorts") {}

/** One daemon on one host. */
export class Service extends resource<ServiceInputs>("Service") {}

/** That nobody gets into the DCS by a token of before. */
export class FormerTokens extends resource<FormerTokensInputs>("FormerTokens") {}

/** That nobody votes in the DCS whom the stack does not name any more. */
export class FormerVoters extends resource<FormerVotersInputs>("FormerVoters") {}

/** A DCS that somebody else runs. */
export class ExistingDcs extends resource<ExistingDcsInputs>("ExistingDcs") {}

/** What must hold across the members of the DCS; its type has the name that the states of all stacks have. */
export class DcsCluster extends resource<DcsClusterInputs>("EtcdCluster", "clusterId") {
  declare readonly clusterId: pulumi.Output<string>;
}

/** The configuration that all Patroni members follow, kept in the DCS. */
export class DynamicConfiguration extends resource<DynamicConfigurationInputs>(
  "DynamicConfiguration",
) {}

/** A leader with its replicas, roles and databases. */
export class PatroniCluster extends resource<PatroniClusterInputs>(
  "PatroniCluster",
  "systemIdentifier",
) {
  /** Of the data: stays the same for the life of the database. */
  declare readonly systemIdentifier: pulumi.Output<string>;
}

/** A writable copy of the database. */
export class Fork extends resource<ForkInputs>("Fork", "host") {
  /** The member that it was made from, on whose host it stays. */
  declare readonly host: pulumi.Output<string>;
}

/** Logins by key from one host to another, each for one command only. */
export class Logins extends resource<LoginsInputs>("Logins") {}

/** Backups as a whole. */
export class Backups extends resource<BackupsInputs>("Backups") {}

/** What clients connect to. */
export class EntryPoint extends resource<EntryPointInputs>("EntryPoint") {}
