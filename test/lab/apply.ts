import { readStack } from "../../src/cli/stack";
import { Context } from "../../src/provider/context";

/**
 * Does to a host of the lab's stack what the provider would; an error goes to standard error, with exit code 1. It must run in the
 * lab's network: run.cjs starts it there.
 */
export function apply(work: (context: Context, cluster: string) => Promise<unknown>): void {
  const { cluster, hosts, ssh } = readStack("lab");
  const say = (_urn: string, message: string) => void process.stderr.write(`${message}\n`);
  const context = new Context(
    { hosts, ssh },
    { progress: say, info: async () => {}, warning: say },
  );
  work(context, cluster.name)
    .catch((error: Error) => {
      process.stderr.write(`${error.message}\n`);
      process.exitCode = 1;
    })
    .finally(() => context.close());
}
