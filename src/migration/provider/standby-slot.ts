import { dcsAt } from "../../dcs/dcs";
import { oldSlotProbe } from "../facts/standby";
import { keepFound, reserveWal, setAsideLeftCopy } from "../operations/standby";
import type { StandbySlotInputs } from "../inputs/standby";
import type { Context } from "../../provider/context";
import type { ResourceType } from "../../provider/resource";
import { isPromoted } from "./standby-view";

/** The old server made ready to be followed: a slot, and nothing else, is changed on it. */
export const standbySlot: ResourceType<StandbySlotInputs> = {
  identity: ["cluster", "host"],
  derived: ["source"],
  id: ({ cluster, host }) => `${cluster}/${host}/standby-slot`,

  async apply(context, urn, inputs) {
    const { cluster, source, dcs, dataDirectory } = inputs;
    if (await isPromoted(context, inputs)) return { ...inputs, state: "reserved" };
    const members = Object.keys(inputs.members).map((name) => context.host(name));
    await Promise.all(
      members.map((member) =>
        member.change(
          "setting aside an older copy",
          setAsideLeftCopy(dcsAt(dcs), cluster, dataDirectory, source),
        ),
      ),
    );
    context.progress(urn, "keeping what was found of the old server");
    await Promise.all(
      members.map((member) => member.change("keeping the configuration", keepFound(source))),
    );
    if ((await stateOf(context, inputs)) !== "reserved") {
      await context.host(inputs.host).change("reserving the WAL", reserveWal(inputs, inputs.slot));
    }
    return { ...inputs, state: await stateOf(context, inputs) };
  },

  async read(context, inputs, known) {
    // An old server that has been switched off is no reason to fail; before its time that shows elsewhere.
    const state = async () =>
      (await isPromoted(context, inputs)) ? "reserved" : stateOf(context, inputs);
    return { ...known, state: await state().catch(() => known.state) };
  },

  /** The slot goes when the cluster has taken the server's place, or by `rollback`. */
  async delete() {},
};

async function stateOf(context: Context, inputs: StandbySlotInputs): Promise<string> {
  const slot = await context.host(inputs.host).observe(oldSlotProbe(inputs, inputs.slot));
  if (!slot) return "absent";
  return slot.status === "lost" ? "lost" : "reserved";
}
