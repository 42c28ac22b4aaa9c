import { CommandError } from "../errors";
import { dcsAt } from "../dcs/dcs";
import { patroniKey } from "../dcs/patroni";
import { askDcs, DcsSilentError } from "../operations/dcs";
import { wantedSettings, type WantedSettings } from "../operations/settings";
import { sameValue, type Values } from "../rpc/values";
import type { Context } from "./context";
import { demandLoaded } from "./loaded";
import { refusedSettings, untilGone } from "./refused-settings";
import type { DynamicConfigurationInputs } from "../resources/inputs/dynamic-configuration";
import type { ResourceType } from "./resource";

/**
 * What is switched while the cluster runs, by `patronictl pause` or the end of a migration: never overwritten. Without
 * `standby_cluster` a standby cluster takes writes.
 */
const RUNTIME_KEYS = ["pause", "standby_cluster"];

export const dynamicConfiguration: ResourceType<DynamicConfigurationInputs> = {
  identity: ["cluster"],
  derived: ["members", "port"],
  id: ({ cluster }) => `${cluster}/configuration`,

  async apply(context, urn, inputs) {
    const found = await look(context, inputs);
    if (found && sameValue(found.configuration, inputs.configuration)) return inputs;
    await write(context, inputs, inputs.configuration as Values, found);
    if (found) await demandAccepted(context, urn, inputs, found.configuration);
    return inputs;
  },

  async read(context, inputs, known) {
    try {
      const found = await look(context, inputs);
      return found && { ...inputs, configuration: found.configuration };
    } catch (error) {
      // Without the DCS nothing can be said about it. That it is down shows on its own resources.
      if (error instanceof DcsSilentError || error instanceof CommandError) return known;
      throw error;
    }
  },

  /** It describes data that stays. */
  async delete() {},
};

interface Found {
  readonly configuration: Values;
  readonly runtime: Values;
  readonly revision: string;
}

async function look(
  context: Context,
  inputs: DynamicConfigurationInputs,
): Promise<Found | undefined> {
  const found = await askDcs(context, hostsOf(inputs), (host) =>
    host.observe(dcsAt(inputs).keyProbe(key(inputs))),
  );
  if (!found) return undefined;
  const all = JSON.parse(found.value) as Values;
  const part = (runtime: boolean) =>
    Object.fromEntries(
      Object.entries(all).filter(([name]) => RUNTIME_KEYS.includes(name) === runtime),
    );
  return { configuration: part(false), runtime: part(true), revision: found.revision };
}

async function write(
  context: Context,
  inputs: DynamicConfigurationInputs,
  configuration: Values,
  found: Found | undefined,
): Promise<void> {
  const value = JSON.stringify({ ...configuration, ...(found ? found.runtime : inputs.beginning) });
  const script = dcsAt(inputs).changeKey(key(inputs), value, found?.revision ?? "0");
  await askDcs(context, hostsOf(inputs), (host) =>
    host.change("changing the dynamic configuration", script),
  );
}

/**
 * Members that run read it now. Where a server does not load a setting, the old configuration comes back, all of it: with
 * the new one that server would not start again.
 */
async function demandAccepted(
  context: Context,
  urn: string,
  inputs: DynamicConfigurationInputs,
  old: Values,
): Promise<void> {
  const changed = changedSettings(old, inputs.configuration);
  const refused = await refusedSettings(context, urn, inputs, changed);
  if (refused.length === 0) return;
  const now = await look(context, inputs);
  // Somebody else's change since then is his.
  if (!now || !sameValue(now.configuration, inputs.configuration)) demandLoaded(refused, "");
  await write(context, inputs, old, now);
  await untilGone(context, urn, inputs, changed);
  demandLoaded(refused, "The settings that were there before are back on all members.");
}

function changedSettings(old: Values, wanted: DynamicConfigurationInputs["configuration"]) {
  const before = wantedSettings(old);
  return Object.fromEntries(
    Object.entries(wantedSettings(wanted)).filter(([name, value]) => before[name] !== value),
  ) as WantedSettings;
}

/** Hosts that may reach the DCS. */
function hostsOf({ host, members }: DynamicConfigurationInputs): string[] {
  return [host, ...Object.keys(members)];
}

function key({ cluster }: DynamicConfigurationInputs): string {
  return patroniKey(cluster, "config");
}
