import * as pulumi from "@pulumi/pulumi";
import { contentOf } from "../plan/secrets";
import type { Files, SecretFiles } from "../plan/types";
import type { FileInput } from "../resources/inputs/files";
import type { DcsMemberInput } from "../resources/inputs/service";
import { Service } from "../resources/resources";
import type { RoleName } from "../roles/roles";
import type { Context } from "./context";
import type { SecretOf } from "./passwords";

/** A service as it must be while it is in use. */
const IN_USE = { active: "active", enabled: "enabled", configuration: "loaded" };

/** What must be there before the daemon is set up on a host; `made` has those of the hosts before it. */
export type Needs = (
  host: string,
  made: { readonly [host: string]: Service },
) => pulumi.Resource[] | Promise<pulumi.Resource[]>;

/** What the files of a service are made from, beside its plan. */
interface FileSources {
  readonly secretOf: SecretOf;
  /** What stands in place of the planned files, by host, where a server is migrated. */
  readonly migrated?: pulumi.Output<{ readonly [host: string]: Files }>;
  /** Of the DCS: where it is for a host that comes to it while it runs. */
  joins(host: string): Promise<DcsMemberInput["joins"]>;
}

/** One daemon on each of its hosts. */
export class Daemon extends pulumi.ComponentResource {
  /** By host. */
  readonly services: { readonly [host: string]: Service };

  constructor(
    { prefix, cluster, plan: { services }, components }: Context,
    daemonName: RoleName,
    { secretOf, migrated, joins }: FileSources,
    before: Needs,
  ) {
    super("pgherd:component:Daemon", `${prefix}-${daemonName}`, {}, components);
    const made: { [host: string]: Service } = {};
    for (const plan of services.filter(({ daemon }) => daemon === daemonName)) {
      const { host, daemon, directories, move } = plan;
      const etcd = plan.etcd && { ...plan.etcd, joins: joins(host) };
      const secret = secretFiles(plan.secretFiles, secretOf);
      const files = migrated
        ? // The secrets stay outputs of their own in it, so that the rest is shown.
          migrated.apply((known) => ({ ...(known[host] ?? plan.files), ...secret }))
        : { ...plan.files, ...secret };
      const inputs = { cluster, host, daemon, directories, files, unit: IN_USE, etcd, move };
      made[host] = new Service(`${prefix}-${host}-${daemon}`, inputs, {
        parent: this,
        dependsOn: before(host, made),
      });
    }
    this.services = made;
    this.registerOutputs({});
  }
}

/**
 * Files that hold secrets. Each content is an output of its own, and of the secrets that stand in it: a preview shows all
 * other files in clear, and none as changed for a secret that is not in it. Their paths are known without them.
 */
export function secretFiles(
  files: SecretFiles,
  secretOf: SecretOf,
): { [path: string]: { [key in keyof FileInput]: pulumi.Input<string> } } {
  return Object.fromEntries(
    Object.entries(files).map(([path, file]) => {
      const { mode, owner, group, secrets } = file;
      const held = Object.entries(secrets).map(([name, secret]) => [name, secretOf(secret)]);
      const known = pulumi.all(
        Object.fromEntries(held) as { [name: string]: pulumi.Output<string> },
      );
      return [path, { mode, owner, group, content: known.apply((all) => contentOf(file, all)) }];
    }),
  );
}
