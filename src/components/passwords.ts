import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import { resourceOf } from "../plan/secrets";
import type { SecretPlan } from "../plan/types";
import type { SecretName } from "../roles/roles";

/** Characters that need no quoting in any file or URL: 32 of them hold 190 bits. */
export const LENGTH = 32;

/** Where a secret of the plan comes from. Each is an output by itself: a new one leaves in a preview what is made from the others as it is. */
export type SecretOf = (secret: SecretName) => pulumi.Output<string>;

/** Every password of a cluster, generated once and kept as secrets in the state. */
export class Passwords extends pulumi.ComponentResource {
  /** By login role. */
  readonly users: { readonly [user: string]: pulumi.Output<string> };

  private readonly secrets: ReadonlyMap<string, pulumi.Output<string>>;

  constructor(
    name: string,
    users: readonly string[],
    secrets: readonly SecretPlan[],
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("pgherd:component:Passwords", name, {}, opts);
    const generate = (what: string, length = LENGTH) =>
      new RandomPassword(`${name}-${what}`, { length, special: false }, { parent: this }).result;
    this.secrets = new Map(
      secrets.map((one) => [keyOf(one), generate(resourceOf(one), one.length)]),
    );
    this.users = Object.fromEntries(users.map((user) => [user, generate(`user-${user}`)]));
    this.registerOutputs({});
  }

  /** @throws Error where no role has such a secret. */
  secret(wanted: SecretName): pulumi.Output<string> {
    const found = this.secrets.get(keyOf(wanted));
    if (!found) throw new Error(`secret ${keyOf(wanted)}: expected in src/roles, found none`);
    return found;
  }
}

function keyOf({ role, name, host }: SecretName): string {
  return host === undefined ? `${role} ${name}` : `${role} ${name} on ${host}`;
}
