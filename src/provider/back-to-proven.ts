import { CommandError, HealthError } from "../errors";
import { lastWordsProbe } from "../facts/last-words";
import { loadedProbe } from "../facts/loaded";
import { conditionOf } from "../facts/member-state";
import { loadErrors } from "../operations/loaded";
import { wantedSettings } from "../operations/settings";
import type { PatroniClusterInputs } from "../resources/inputs/patroni-cluster";
import { sameValue, type Values } from "../rpc/values";
import { askServers, statusesOf } from "./cluster-view";
import type { Context } from "./context";
import { heldConfiguration, holdConfiguration, provenByAll, type Held } from "./held-configuration";
import { withoutMarks } from "./marks";
import { untilGone } from "./refused-settings";
import { clausesOf, shutOut, touchesSessions } from "./shut-out";

/** Seconds for Patroni to say what has become of a start. */
const START_SECONDS = 30;

/**
 * Brings every member to run with the dynamic configuration. Where a server does not load it, or does not start with it, the
 * last one that all have run with comes back into the DCS and to every member, and the run ends by name: no member stays
 * down for a value, whether this run has written it or one that was killed.
 * @param bring brings the members to run with the configuration of these inputs; `known` is what was recorded last.
 */
export async function runningOrBack(
  context: Context,
  urn: string,
  inputs: PatroniClusterInputs,
  known: PatroniClusterInputs | undefined,
  bring: (inputs: PatroniClusterInputs, known?: PatroniClusterInputs) => Promise<Settled>,
): Promise<void> {
  const place = { cluster: inputs.cluster, members: inputs.members, ...inputs.dcs };
  let settled: Settled;
  try {
    settled = await bring(inputs, known);
  } catch (error) {
    if (!(error instanceof CommandError || error instanceof HealthError)) throw error;
    const held = await heldConfiguration(context, place);
    // Somebody else's change since then is his.
    if (!held?.proven || !sameValue(held.configuration, inputs.configuration)) throw error;
    const changed = changes(held.proven, inputs.configuration);
    const reasons = await whyNotRunning(context, inputs, changed);
    if (reasons.length === 0) throw error;
    context.info(urn, `going back to the former settings: ${reasons.join("; ")}`);
    const undone = await goBack(held, held.proven);
    throw new HealthError([...reasons, undone].join("\n"), NEXT);
  }
  if (settled === "restarts held") return;
  const held = await heldConfiguration(context, place);
  if (held?.proven) await provenByAll(context, place);

  async function goBack(held: Held, proven: Values): Promise<string> {
    await holdConfiguration(context, place, proven, held);
    try {
      const [former, refused] = [proven, inputs.configuration].map(wantedSettings);
      await untilGone(context, urn, inputs, former ?? {}, refused ?? {});
      const settled = await bring({ ...inputs, configuration: proven }, inputs);
      await withoutMarks(context, inputs);
      if (settled === "restarts held")
        return "The settings that were there before are back; some members restart with them once the cluster is resumed.";
      await provenByAll(context, place);
      return "The settings that were there before are back, and all members run with them.";
    } catch (error) {
      if (!(error instanceof CommandError || error instanceof HealthError)) throw error;
      return `The settings that were there before are back in the DCS, but not all members run with them yet: ${error.message}`;
    }
  }
}

/** Whether all members run with it, or a pause of the cluster keeps some from their restart. */
export type Settled = "settled" | "restarts held";

const NEXT =
  "Next: mend it in the stack, or what that host lacks; `pgherd logs` of the member has the rest.";

/** What has changed, by name: `huge_pages: try → on`. */
function changes(
  proven: Values,
  configuration: PatroniClusterInputs["configuration"],
): { readonly [name: string]: string } {
  const [before, wanted] = [wantedSettings(proven), wantedSettings(configuration)];
  return Object.fromEntries(
    [...new Set([...Object.keys(before), ...Object.keys(wanted)])]
      .filter((name) => before[name] !== wanted[name])
      .sort()
      .map((name) => {
        const shown = [before[name], wanted[name]].map((value) => value ?? "its default");
        return [name, `${name}: ${shown.join(" → ")}`];
      }),
  );
}

/** What keeps servers from running with changed settings, in words; nothing where all of them do. */
async function whyNotRunning(
  context: Context,
  inputs: PatroniClusterInputs,
  changed: { readonly [name: string]: string },
): Promise<string[]> {
  const servers = await askServers(context, inputs, loadedProbe(inputs.port));
  const refused = Object.entries(servers).flatMap(([name, found]) => {
    const own = (found?.errors ?? []).filter(
      (error) => error.name !== null && Object.hasOwn(changed, error.name.toLowerCase()),
    );
    return loadErrors(name, { errors: own });
  });
  if (refused.length > 0) return refused;
  const shut = touchesSessions(changed) ? clausesOf(await shutOut(context, inputs)) : [];
  if (shut.length > 0)
    return shut.map((reason) => `${reason} (${Object.values(changed).join(", ")})`);
  const down = await failedMembers(context, inputs);
  return Promise.all(
    down.map(async (name) => {
      const said = await context.host(name).observe(lastWordsProbe);
      return (
        `${name}: PostgreSQL does not start with ${Object.values(changed).join(", ")}: ` +
        (said ?? `its log tells why (\`pgherd logs ${name}\`)`)
      );
    }),
  );
}

/** Members whose PostgreSQL has failed to start. One that is on its way gets some time to show what becomes of it. */
async function failedMembers(
  context: Context,
  inputs: Pick<PatroniClusterInputs, "members">,
): Promise<string[]> {
  const end = Date.now() + START_SECONDS * 1000;
  for (;;) {
    const statuses = await statusesOf(context, inputs);
    const conditions = Object.keys(inputs.members).map(
      (name) => [name, conditionOf(statuses[name]?.state ?? "")] as const,
    );
    const down = conditions.filter(([, condition]) => condition === "failed");
    if (down.length > 0) return down.map(([name]) => name);
    if (conditions.every(([, condition]) => condition === "serving")) return [];
    if (Date.now() >= end)
      return conditions.flatMap(([name, condition]) => (condition === "stopped" ? [name] : []));
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
