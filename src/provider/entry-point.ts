import { addressesHeldProbe, entrancesProbe, type Entrances } from "../facts/haproxy";
import type { Context } from "./context";
import type { EntryPointInputs } from "../resources/inputs";
import type { ResourceType } from "./resource";
import { waitFor } from "./wait";

const READY_SECONDS = 60;

export const entryPoint: ResourceType<EntryPointInputs> = {
  identity: ["cluster"],
  id: ({ cluster }) => `${cluster}/entry-point`,

  async apply(context, urn, inputs) {
    await waitFor(
      async () => {
        const missing = await whatIsMissing(context, inputs);
        return missing ? { missing } : { done: true };
      },
      {
        expected: "the entry point to lead to the primary",
        seconds: READY_SECONDS,
        next: "journalctl -u haproxy -u keepalived -n 50 on the load balancers.",
        progress: (message) => context.progress(urn, message),
      },
    );
    return inputs;
  },

  /** Who holds the address changes by itself; only that nobody does, or two, is worth an update. */
  async read(context, inputs) {
    const broken = await whatIsMissing(context, inputs);
    return broken ? { ...inputs, addresses: [] } : inputs;
  },

  /** The daemons themselves are stopped by their services. */
  async delete() {},
};

async function whatIsMissing(
  context: Context,
  inputs: EntryPointInputs,
): Promise<string | undefined> {
  const seen = await Promise.all(
    inputs.hosts.map(async (name) => {
      const host = context.host(name);
      const [entrances, held] = await Promise.all([
        host.observe(entrancesProbe(inputs.statsPort)),
        host.observe(addressesHeldProbe(inputs.vips)),
      ]);
      return { name, entrances, held };
    }),
  );
  for (const vip of inputs.vips) {
    const holders = seen.filter(({ held }) => held.includes(vip)).map(({ name }) => name);
    if (holders.length !== 1) return `${vip} is held by ${holders.join(" and ") || "nobody"}`;
  }
  const lost = seen.find(({ entrances }) => primaries(entrances).length !== 1);
  return lost && `${lost.name} sees ${primaries(lost.entrances).join(" and ") || "no primary"}`;
}

function primaries(entrances: Entrances): readonly string[] {
  return entrances.primary ?? [];
}
