import { dropFork, ensureFork, observeFork, type FoundFork } from "../operations/forks";
import type { ForkInputs } from "../resources/inputs/fork";
import { briefFiles } from "./brief";
import type { Context } from "./context";
import { foundFiles } from "./host-base";
import type { ResourceType } from "./resource";

interface Learned {
  /** The member that it was made from, on whose host it stays. */
  readonly host: string;
}

export const fork: ResourceType<ForkInputs, Learned> = {
  identity: ["cluster", "name", "from"],
  id: ({ cluster, name }) => `${cluster}/forks/${name}`,
  brief: ({ files }) => ({ files: briefFiles(files) }),

  async apply(context, urn, inputs) {
    const found = await ensureFork(inputs, hostsOf(context), (what) => context.progress(urn, what));
    return state(inputs, found);
  },

  async read(context, inputs, known) {
    const found = await observeFork(inputs, hostsOf(context), [known.host]);
    return found && state(inputs, found);
  },

  /** A fork goes with its resource: it is a copy, and was made to be thrown away. */
  async delete(context, urn, inputs) {
    context.progress(urn, "removing the fork");
    await dropFork(inputs, inputs.name, hostsOf(context));
  },
};

function hostsOf(context: Context) {
  return (name: string) => context.host(name);
}

function state(
  inputs: ForkInputs,
  { fork: found, files, password }: FoundFork,
): ForkInputs & Learned {
  const { port, memory, disk, ttl, host } = found;
  return {
    ...inputs,
    port,
    memory,
    disk,
    ttl,
    files: foundFiles(Object.keys(inputs.files), files),
    password,
    running: found.state === "running" ? "active" : found.reason || found.state,
    host,
  };
}
