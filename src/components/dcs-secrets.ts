import * as pulumi from "@pulumi/pulumi";
import { fingerprintOf } from "../fingerprint";
import type { DcsAccessPlan } from "../plan/types";
import { FormerTokens } from "../resources/resources";
import { namedKind } from "../roles/dcs";
import type { Context } from "./context";
import type { SecretOf } from "./passwords";

/** Who may do what in the DCS, and by which tokens. */
export function dcsAccess(access: DcsAccessPlan, secretOf: SecretOf) {
  return { ...access, tokens: fingerprints(access.tokens, secretOf) };
}

/** The end of tokens of before, once all that use one have the present ones. */
export function formerTokens(
  { prefix, cluster, plan, child }: Context,
  secretOf: SecretOf,
  dependsOn: pulumi.Resource[],
): void {
  for (const { kind, members, access } of plan.ownDcs) {
    if (!access) continue;
    const tokens = fingerprints(access.tokens, secretOf);
    new FormerTokens(
      `${prefix}-${kind}-former-tokens`,
      { cluster, ...namedKind(kind), members, tokens, patroni: plan.patroni.members, left: [] },
      { ...child, dependsOn },
    );
  }
}

/** Shown, unlike what they are of: that a secret is another one is seen by them. */
function fingerprints(secrets: DcsAccessPlan["tokens"], secretOf: SecretOf) {
  const shown = Object.entries(secrets).map(([name, secret]) => [
    name,
    pulumi.unsecret(secretOf(secret).apply(fingerprintOf)),
  ]);
  return Object.fromEntries(shown) as { readonly [name: string]: pulumi.Output<string> };
}
