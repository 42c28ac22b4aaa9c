import { controlFileProbe } from "../../facts/control-file";
import { dcsAt } from "../../dcs/dcs";
import { patroniKey } from "../../dcs/patroni";
import { serves } from "../../facts/member-state";
import { askDcs } from "../../operations/dcs";
import type { RollbackInputs } from "../inputs/adoption";
import type { Source } from "../inputs/source";
import { viewOf } from "../../provider/cluster-view";
import type { Context } from "../../provider/context";

/**
 * Whether Patroni has come up beside the server without ever leading it, so that no waiting for a leader helps: nobody
 * leads, nobody else has data to lead with, and the server is a primary on the newest timeline that the DCS knows of. Then
 * it has every row.
 */
export async function hasNeverLed(
  context: Context,
  inputs: RollbackInputs,
  source: Source,
): Promise<boolean> {
  const { cluster, host, members } = inputs;
  const view = await viewOf(context, { members });
  const others = view?.members.filter(({ name }) => name !== host) ?? [];
  if (view?.members.some(({ role }) => role === "leader")) return false;
  if (others.some(({ state }) => serves(state))) return false;
  const { primary, timeline } = await context.host(host).observe(controlFileProbe(source));
  if (!primary) return false;
  const history = await askDcs(context, [host, ...Object.keys(members)], (one) =>
    one.observe(dcsAt(inputs).keyProbe(patroniKey(cluster, "history"))),
  );
  return timeline >= newestTimeline(history?.value);
}

/** Of Patroni's key `history`, a line for each change of the timeline: `[[1, 67108960, "no recovery target…", …]]`. */
function newestTimeline(history: string | undefined): number {
  const left = JSON.parse(history ?? "[]") as [number, ...unknown[]][];
  return 1 + Math.max(0, ...left.map(([timeline]) => timeline));
}
