import { readFileSync } from "node:fs";
import { readStack } from "../../src/cli/stack";
import { Context } from "../../src/provider/context";
import { firewall } from "../../src/provider/firewall";

// Gives a lab host other rules than the plan's, as the provider would: the host is named by the first argument, the body
// of the table stands on standard input. Prints what is there then; an error goes to standard error, with exit code 1.
// It must run in the lab's network: run.cjs starts it there.

const { cluster, hosts, ssh } = readStack("lab");
const context = new Context(
  { hosts, ssh },
  {
    progress: (_urn, message) => process.stderr.write(`${message}\n`),
    info: async () => {},
    warning: (_urn, message) => process.stderr.write(`${message}\n`),
  },
);

firewall
  .apply(context, "firewall", {
    cluster: cluster.name,
    host: process.argv[2] ?? "",
    rules: readFileSync(0, "utf8"),
    loaded: "active",
    enabled: "enabled",
  })
  .then((state) => process.stdout.write(`${JSON.stringify(state)}\n`))
  .catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  })
  .finally(() => context.close());
