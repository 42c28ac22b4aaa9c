import type { GivenSecret } from "../config/parse";
import type { ClusterSettings } from "../config/schema";
import { GIVEN_KEY, GIVEN_SECRET } from "../dcs/existing";
import { hostsOf, ROLES, type SecretName } from "../roles/roles";
import { render } from "./template";
import type { Files, SecretFile, SecretFiles, SecretPlan } from "./types";

/** What is generated for the roles of a cluster. */
export function planSecrets(cluster: ClusterSettings): SecretPlan[] {
  return ROLES.flatMap((role) =>
    role.secrets(cluster).flatMap(({ name, eachHost, length }) => {
      const secret = { role: role.name, name, length };
      return eachHost ? hostsOf(role, cluster).map((host) => ({ ...secret, host })) : [secret];
    }),
  );
}

/**
 * What stands in place of what is generated, by what the user gives: members of a standby cluster stream from each other with the
 * role that the old server knows.
 */
const GIVEN: { readonly [given in GivenSecret]: SecretName } = {
  migrationPassword: { role: "patroni", name: "replication" },
  dcsPassword: GIVEN_SECRET,
  dcsToken: GIVEN_SECRET,
  dcsKey: GIVEN_KEY,
};

/** What the user may have given for a secret. */
export function givenFor({ role, name }: SecretName): GivenSecret[] {
  return (Object.keys(GIVEN) as GivenSecret[]).filter(
    (one) => GIVEN[one].role === role && GIVEN[one].name === name,
  );
}

/** How the name of a secret's resource ends; the cluster's own were called so before secrets were named by role. */
export function resourceOf({ role, name, host }: SecretName): string {
  return host === undefined ? name : `${host}-${role}-${name}`;
}

/** The content of a file, with these secrets in it. */
export function contentOf(
  { template, values }: SecretFile,
  secrets: { readonly [name: string]: string },
): string {
  return render(template, { ...values, secrets });
}

/** Files with their secrets in them. */
export function withSecrets(files: SecretFiles, secretOf: (secret: SecretName) => string): Files {
  return Object.fromEntries(
    Object.entries(files).map(([path, file]) => {
      const { mode, owner, group, secrets } = file;
      const known = Object.entries(secrets).map(([name, secret]) => [name, secretOf(secret)]);
      return [path, { mode, owner, group, content: contentOf(file, Object.fromEntries(known)) }];
    }),
  );
}
