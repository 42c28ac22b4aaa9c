import { CommandError } from "../errors";
import { settingsProbe } from "../facts/settings";
import { DcsSilentError } from "../operations/dcs";
import { needsRestart, wantedSettings, type WantedSettings } from "../operations/settings";
import { sameValue, type Values } from "../rpc/values";
import { askServers } from "./cluster-view";
import type { Context } from "./context";
import { heldConfiguration, holdConfiguration, provenByAll, type Held } from "./held-configuration";
import { demandLoaded } from "./loaded";
import { withoutMarks } from "./marks";
import { isUnderWay } from "./moving-dcs";
import { takeAlong } from "./take-along";
import { inSight, refusedSettings, untilGone, type Before } from "./refused-settings";
import type { DynamicConfigurationInputs } from "../resources/inputs/dynamic-configuration";
import type { ResourceType } from "./resource";
import { shutOut, touchesSessions } from "./shut-out";

export const dynamicConfiguration: ResourceType<DynamicConfigurationInputs> = {
  identity: ["cluster"],
  derived: ["members", "port"],
  id: ({ cluster }) => `${cluster}/configuration`,

  async apply(context, urn, inputs) {
    if (inputs.move) await takeAlong(context, urn, inputs.move, inputs);
    const found = await heldConfiguration(context, inputs);
    if (found && sameValue(found.configuration, inputs.configuration)) return inputs;
    const wanted = inputs.configuration as Values;
    const before = {
      closed: found ? await closedBefore(context, inputs, found) : [],
      seen: found ? await inSight(context, inputs) : [],
    };
    await holdConfiguration(context, inputs, wanted, found, inputs.beginning);
    const { move, cluster, members } = inputs;
    // Whoever is not in this DCS yet hears nothing of it: what it does not take shows once it has come.
    const comes = move && (await isUnderWay(context, move.to, cluster, Object.keys(members)));
    if (found && !comes) await demandAccepted(context, urn, inputs, found, before);
    return inputs;
  },

  async read(context, inputs, known) {
    try {
      const found = await heldConfiguration(context, inputs);
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

/**
 * Members that run read it now. Where a server does not load a setting, the old configuration comes back, all of it: with
 * the new one that server would not start again.
 */
async function demandAccepted(
  context: Context,
  urn: string,
  inputs: DynamicConfigurationInputs,
  found: Held,
  before: Before,
): Promise<void> {
  const old = found.proven ?? found.configuration;
  const changed = changedSettings(old, inputs.configuration);
  const refused = await refusedSettings(context, urn, inputs, changed, before);
  if (refused.length === 0) {
    if (await isLoadedByAll(context, inputs, old)) await provenByAll(context, inputs);
    return;
  }
  const now = await heldConfiguration(context, inputs);
  // Somebody else's change since then is his.
  if (!now || !sameValue(now.configuration, inputs.configuration)) demandLoaded(refused, "");
  await holdConfiguration(context, inputs, old, now);
  await untilGone(
    context,
    urn,
    inputs,
    wantedSettings(old),
    wantedSettings(inputs.configuration),
    before.closed,
  );
  await withoutMarks(context, inputs);
  // Where an earlier run was killed, some may have restarted with what it wrote.
  if (!found.proven) await provenByAll(context, inputs);
  demandLoaded(refused, "The settings that were there before are back on all members.");
}

/** Members that let nobody in, whatever is written now. */
async function closedBefore(
  context: Context,
  inputs: DynamicConfigurationInputs,
  { proven, configuration }: Held,
): Promise<string[]> {
  const changed = changedSettings(proven ?? configuration, inputs.configuration);
  return touchesSessions(changed) ? Object.keys(await shutOut(context, inputs)) : [];
}

/** Whether every member has what has changed already. What waits for a restart is proven by that alone. */
async function isLoadedByAll(
  context: Context,
  inputs: DynamicConfigurationInputs,
  old: Values,
): Promise<boolean> {
  const wanted = wantedSettings(inputs.configuration);
  // What has gone from it may not have gone from their files yet.
  if (Object.keys(wantedSettings(old)).some((name) => !Object.hasOwn(wanted, name))) return false;
  const servers = await askServers(context, inputs, settingsProbe(inputs.port));
  return Object.keys(inputs.members).every((name) => {
    const running = servers[name];
    return running !== undefined && !needsRestart(wanted, running);
  });
}

/** Settings that are new, or have another value now. */
function changedSettings(
  old: Values,
  wanted: DynamicConfigurationInputs["configuration"],
): WantedSettings {
  const before = wantedSettings(old);
  return Object.fromEntries(
    Object.entries(wantedSettings(wanted)).filter(([name, value]) => before[name] !== value),
  );
}
