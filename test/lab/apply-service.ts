import { readFileSync } from "node:fs";
import { readStack } from "../../src/cli/stack";
import { Context } from "../../src/provider/context";
import { service } from "../../src/provider/service";
import type { ServiceInputs } from "../../src/resources/inputs/service";

// Gives a daemon of a lab host other files than the plan's, as the provider would: they stand as JSON on standard input, with
// the host and the daemon. An error goes to standard error, with exit code 1. It must run in the lab's network: run.cjs
// starts it there.

const { cluster, hosts, ssh } = readStack("lab");
const context = new Context(
  { hosts, ssh },
  {
    progress: (_urn, message) => process.stderr.write(`${message}\n`),
    info: async () => {},
    warning: (_urn, message) => process.stderr.write(`${message}\n`),
  },
);

service
  .apply(context, "service", {
    ...{ cluster: cluster.name, directories: {} },
    ...{ unit: { active: "active", enabled: "enabled", configuration: "loaded" } },
    ...(JSON.parse(readFileSync(0, "utf8")) as Pick<ServiceInputs, "host" | "daemon" | "files">),
  })
  .catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  })
  .finally(() => context.close());
