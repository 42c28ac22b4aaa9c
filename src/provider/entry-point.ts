import {
  addressesHeldProbe,
  drainedServersProbe,
  entrancesProbe,
  type Entrances,
} from "../facts/haproxy";
import { readyServers } from "../operations/haproxy";
import type { Context } from "./context";
import type { EntryPointInputs } from "../resources/inputs/entry-point";
import type { ResourceType } from "./resource";
import { waitFor } from "../operations/wait";
import { journalctl } from "../roles/journal";

const READY_SECONDS = 60;

export const entryPoint: ResourceType<EntryPointInputs> = {
  identity: ["cluster"],
  id: ({ cluster }) => `${cluster}/entry-point`,

  async apply(context, urn, inputs) {
    await takeBackIn(context, inputs);
    await waitFor(
      async () => {
        const missing = await whatIsMissing(context, inputs);
        return missing ? { missing } : { done: true };
      },
      {
        expected: "the entry point to lead to the primary",
        seconds: READY_SECONDS,
        next: `${journalctl("haproxy", "keepalived")} on the load balancers.`,
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

/** A run that was killed may have left members drained. */
async function takeBackIn(context: Context, { hosts, statsPort }: EntryPointInputs): Promise<void> {
  await Promise.all(
    hosts.map(async (host) => {
      const drained = await context.host(host).observe(drainedServersProbe(statsPort));
      if (drained.length === 0) return;
      await context.host(host).change("taking members back in", readyServers(drained));
    }),
  );
}

async function whatIsMissing(
  context: Context,
  inputs: EntryPointInputs,
): Promise<string | undefined> {
  const seen = await Promise.all(
    inputs.hosts.map(async (name) => {
      const host = context.host(name);
      const [entrances, drained, held] = await Promise.all([
        host.observe(entrancesProbe(inputs.statsPort)),
        host.observe(drainedServersProbe(inputs.statsPort)),
        host.observe(addressesHeldProbe(inputs.vips)),
      ]);
      return { name, entrances, drained, held };
    }),
  );
  for (const vip of inputs.vips) {
    const holders = seen.filter(({ held }) => held.includes(vip)).map(({ name }) => name);
    if (holders.length !== 1) return `${vip} is held by ${holders.join(" and ") || "nobody"}`;
  }
  const draining = seen.find(({ drained }) => drained.length > 0);
  if (draining) return `${draining.name} drains ${draining.drained.join(", ")}`;
  const lost = seen.find(({ entrances }) => primaries(entrances).length !== 1);
  return lost && `${lost.name} sees ${primaries(lost.entrances).join(" and ") || "no primary"}`;
}

function primaries(entrances: Entrances): readonly string[] {
  return entrances.primary ?? [];
}
