import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { RESOURCES_FILE, type FloorResource } from "./resources";

class Nothing extends pulumi.CustomResource {
  constructor(name: string, inputs: pulumi.Inputs, opts: pulumi.CustomResourceOptions) {
    super("floor:index:Nothing", name, inputs, opts);
  }
}

const resources = JSON.parse(
  readFileSync(process.env[RESOURCES_FILE] ?? "", "utf8"),
) as FloorResource[];
const made = new Map<string, pulumi.Resource>();

for (const { name, custom, parent, dependsOn, inputs, secrets } of resources) {
  const opts = {
    parent: parent === undefined ? undefined : made.get(parent),
    dependsOn: dependsOn.flatMap((one) => made.get(one) ?? []),
  };
  made.set(
    name,
    custom
      ? new Nothing(name, guarded(inputs, secrets), opts)
      : new pulumi.ComponentResource("floor:index:Group", name, {}, opts),
  );
}

function guarded(inputs: FloorResource["inputs"], secrets: readonly string[]): pulumi.Inputs {
  return Object.fromEntries(
    Object.entries(inputs).map(([key, value]) => [
      key,
      secrets.includes(key) ? pulumi.secret(value) : value,
    ]),
  );
}
