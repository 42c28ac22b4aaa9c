import * as pulumi from "@pulumi/pulumi";
import type { Secrets, ServicePlan } from "../plan/types";
import type { FileInput } from "../resources/inputs";
import { Service } from "../resources/resources";

/** A service as it must be while it is in use. */
const IN_USE = { active: "active", enabled: "enabled", configuration: "loaded" };

/** One daemon on each of its hosts. */
export class Daemon extends pulumi.ComponentResource {
  /** By host. */
  readonly services: { readonly [host: string]: Service };

  /** @param before what must be there before the daemon is set up on a host. */
  constructor(
    name: string,
    cluster: string,
    plans: readonly ServicePlan[],
    secrets: pulumi.Output<Secrets>,
    before: (host: string) => pulumi.Resource[],
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("pgherd:component:Daemon", name, {}, opts);
    this.services = Object.fromEntries(
      plans.map((plan) => {
        const { host, daemon, directories, etcd } = plan;
        const files = { ...plan.files, ...secretFiles(plan, secrets) };
        const inputs = { cluster, host, daemon, directories, files, unit: IN_USE, etcd };
        const service = new Service(`${cluster}-${host}-${daemon}`, inputs as never, {
          parent: this,
          dependsOn: before(host),
        });
        return [host, service];
      }),
    );
    this.registerOutputs({});
  }
}

/**
 * Files that hold passwords. Each content is an output of its own, so that a preview shows all other files in clear.
 * Their paths are known without the passwords.
 */
function secretFiles(
  plan: ServicePlan,
  secrets: pulumi.Output<Secrets>,
): { [path: string]: { [key in keyof FileInput]: pulumi.Input<string> } } {
  const blank: Secrets = {
    ...{ replication: "-", rewind: "-", restApi: "-", vrrp: "-", stats: "-" },
    ...{ barman: "-", barmanStreaming: "-" },
  };
  return Object.fromEntries(
    Object.entries(plan.secretFiles(blank)).map(([path, file]) => [
      path,
      { ...file, content: secrets.apply((known) => plan.secretFiles(known)[path]?.content ?? "") },
    ]),
  );
}
