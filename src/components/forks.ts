import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import type { Settings } from "../config/schema";
import { forkUri } from "../plan/connection";
import type { ForkPlan } from "../plan/types";
import { Fork } from "../resources/resources";
import { LENGTH } from "./passwords";

/** The forks that the stack declares, each with a password of its own. */
export class Forks extends pulumi.ComponentResource {
  /** What clients connect with, by fork. */
  readonly connection: { readonly [fork: string]: pulumi.Output<string> };
  /** Of every login role on the fork, by fork. */
  readonly passwords: { readonly [fork: string]: pulumi.Output<string> };

  constructor(
    name: string,
    settings: Settings,
    plans: readonly ForkPlan[],
    /** What must be there before a fork is made. */
    before: pulumi.Resource,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("pgherd:component:Forks", name, {}, opts);
    const forks = plans.map((plan) => {
      const password = new RandomPassword(
        `${name}-${plan.name}`,
        { length: LENGTH, special: false },
        { parent: this },
      ).result;
      const fork = new Fork(
        `${settings.cluster.name}-fork-${plan.name}`,
        { cluster: settings.cluster.name, ...plan, password },
        // The old one and the new one would have the same name, folder and port.
        { parent: this, dependsOn: before, deleteBeforeReplace: true },
      );
      const uri = fork.host.apply((host) => forkUri(settings, host, plan.port));
      return { name: plan.name, uri, password };
    });
    this.connection = Object.fromEntries(forks.map((fork) => [fork.name, fork.uri]));
    this.passwords = Object.fromEntries(forks.map((fork) => [fork.name, fork.password]));
    this.registerOutputs({});
  }
}
