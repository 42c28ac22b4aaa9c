import * as pulumi from "@pulumi/pulumi";
import { withSecrets } from "../plan/secret-files";
import type { Files, Secrets, ServicePlan } from "../plan/types";
import type { FileInput } from "../resources/inputs/files";
import { Service } from "../resources/resources";
import type { RoleName } from "../roles/roles";
import type { Context } from "./context";
import type { SecretOutputs } from "./passwords";

/** A service as it must be while it is in use. */
const IN_USE = { active: "active", enabled: "enabled", configuration: "loaded" };

/** What must be there before the daemon is set up on a host; `made` has those of the hosts before it. */
export type Needs = (host: string, made: { readonly [host: string]: Service }) => pulumi.Resource[];

/** What the files of a service are made from, beside its plan. */
export interface FileSources {
  readonly secrets: SecretOutputs;
  /** What stands in place of the planned files, by host, where a server is migrated. */
  readonly migrated?: pulumi.Output<{ readonly [host: string]: Files }>;
}

/** One daemon on each of its hosts. */
export class Daemon extends pulumi.ComponentResource {
  /** By host. */
  readonly services: { readonly [host: string]: Service };

  constructor(
    { prefix, cluster, plan: { services }, components }: Context,
    daemonName: RoleName,
    { secrets, migrated }: FileSources,
    before: Needs,
  ) {
    super("pgherd:component:Daemon", `${prefix}-${daemonName}`, {}, components);
    const made: { [host: string]: Service } = {};
    for (const plan of services.filter(({ daemon }) => daemon === daemonName)) {
      const { host, daemon, directories, etcd } = plan;
      const secret = secretFiles(plan, secrets);
      const files = migrated
        ? // The secrets stay outputs of their own in it, so that the rest is shown.
          migrated.apply((known) => ({ ...(known[host] ?? plan.files), ...secret }))
        : { ...plan.files, ...secret };
      const inputs = { cluster, host, daemon, directories, files, unit: IN_USE, etcd };
      made[host] = new Service(`${prefix}-${host}-${daemon}`, inputs as never, {
        parent: this,
        dependsOn: before(host, made),
      });
    }
    this.services = made;
    this.registerOutputs({});
  }
}

/**
 * Files that hold passwords. Each content is an output of its own, and of the passwords that stand in it: a preview shows
 * all other files in clear, and none as changed for a password that is not in it. Their paths are known without them.
 */
function secretFiles(
  plan: ServicePlan,
  secrets: SecretOutputs,
): { [path: string]: { [key in keyof FileInput]: pulumi.Input<string> } } {
  const names = (Object.keys(secrets) as (keyof Secrets)[]).filter((name) => secrets[name]);
  const blank = Object.fromEntries(names.map((name) => [name, "-"])) as unknown as Secrets;
  return Object.fromEntries(
    Object.entries(withSecrets(plan.secretFiles, blank)).map(([path, file]) => {
      const content = (known: object) =>
        withSecrets(plan.secretFiles, { ...blank, ...known })[path]?.content ?? "";
      const held = names.filter((name) => content({ [name]: "+" }) !== file.content);
      const known = pulumi.all(Object.fromEntries(held.map((name) => [name, secrets[name]])));
      return [path, { ...file, content: known.apply(content) }];
    }),
  );
}
