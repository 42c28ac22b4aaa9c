import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import { forkUri } from "../plan/connection";
import { Fork } from "../resources/resources";
import type { Context } from "./context";
import { LENGTH } from "./passwords";

/** The forks that the stack declares, each with a password of its own. */
export class Forks extends pulumi.ComponentResource {
  /** What clients connect with, by fork. */
  readonly connection: { readonly [fork: string]: pulumi.Output<string> };
  /** Of every login role on the fork, by fork. */
  readonly passwords: { readonly [fork: string]: pulumi.Output<string> };

  constructor(
    name: string,
    { prefix, cluster, settings, plan: { forks: plans }, components }: Context,
    /** What must be there before a fork is made. */
    before: pulumi.Resource,
  ) {
    super("pgherd:component:Forks", name, {}, components);
    const forks = plans.map((plan) => {
      const password = new RandomPassword(
        `${name}-${plan.name}`,
        { length: LENGTH, special: false },
        { parent: this },
      ).result;
      const fork = new Fork(
        `${prefix}-fork-${plan.name}`,
        { cluster, ...plan, password },
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
