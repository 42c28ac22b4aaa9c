import { HealthError } from "../../errors";
import { dcsAt } from "../../dcs/dcs";
import { patroniKey } from "../../dcs/patroni";
import { describeMembers, type ClusterView } from "../../facts/patroni";
import { oldCopiesProbe, oldSlotProbe } from "../facts/standby";
import { askDcs } from "../../operations/dcs";
import { waitFor } from "../../operations/wait";
import type { StandbyInputs } from "../inputs/standby";
import { isFollowing, viewOf } from "../../provider/cluster-view";
import type { Context } from "../../provider/context";
import { copiesOf, describeCopies } from "../../provider/copies";
import { beginStandbyAnew } from "./standby-copies";
import { PATRONI_FOLDER } from "../../roles/patroni";
import { journalctl } from "../../roles/journal";

/** A first copy may take a day; whoever does not want to wait so long sees how far it is. */
const COPY_SECONDS = 24 * 3600;

/** Where nothing has moved for this long, something is wrong. */
const STILL_SECONDS = 900;

/** Whether the cluster has taken the old server's place, or is about to: nothing makes it follow again. */
export async function isPromoted(
  context: Context,
  { cluster, dcs, members }: Pick<StandbyInputs, "cluster" | "dcs" | "members">,
): Promise<boolean> {
  const found = await askDcs(context, [dcs.host, ...Object.keys(members)], (host) =>
    host.observe(dcsAt(dcs).keyProbe(patroniKey(cluster, "config"))),
  );
  return found !== undefined && !("standby_cluster" in (JSON.parse(found.value) as object));
}

/** The name of the member that streams from the old server; the others stream from it. */
function standbyLeaderOf(view: ClusterView | undefined): string | undefined {
  return view?.members.find(
    ({ name, role }) => role === "standby_leader" && isFollowing(view, name),
  )?.name;
}

/**
 * Waits until all members follow the old server and nobody is further behind than that.
 * @returns the name of the member that streams from the old server.
 */
export async function untilFollowing(
  context: Context,
  urn: string,
  inputs: StandbyInputs,
  maximumLag: number,
): Promise<string> {
  await beginStandbyAnew(context, urn, inputs);
  let moved = Date.now();
  let before = "";
  return waitFor<string>(
    async () => {
      const view = await viewOf(context, inputs);
      const leader = standbyLeaderOf(view);
      const missing = await whatIsMissing(context, inputs, view, leader, maximumLag);
      if (leader && !missing) return { done: leader };
      const copies = await copiesInto(context, inputs, leader);
      const state = copies || missing || "no member streams from it";
      if (state !== before) moved = Date.now();
      before = state;
      if (Date.now() - moved > STILL_SECONDS * 1000) {
        throw new HealthError(
          `expected all members to follow ${inputs.host}, got: ${state}.`,
          `Next: ${journalctl("patroni")} on the members.`,
        );
      }
      return { missing: state };
    },
    {
      expected: `all members to follow ${inputs.host}`,
      seconds: COPY_SECONDS,
      next: `${journalctl("patroni")} on the members.`,
      progress: (message) => context.progress(urn, message),
    },
  );
}

async function whatIsMissing(
  context: Context,
  inputs: StandbyInputs,
  view: ClusterView | undefined,
  leader: string | undefined,
  maximumLag: number,
): Promise<string | undefined> {
  const names = Object.keys(inputs.members);
  if (!view || !leader || !names.every((name) => isFollowing(view, name)))
    return describeMembers(view);
  const slot = await context.host(inputs.host).observe(oldSlotProbe(inputs, inputs.slot));
  if (slot?.status === "lost") {
    throw new HealthError(
      `${inputs.host}: expected the slot ${inputs.slot} to keep all WAL, found that some is lost: ` +
        "the members were behind by more than max_slot_wal_keep_size.",
      "Raise it there; then go back by pgherd:cluster.migration.rollback: true, and begin anew.",
    );
  }
  if (view.paused) return `Patroni is paused: patronictl -c ${PATRONI_FOLDER} resume`;
  if (!slot?.active) return `nobody uses the slot ${inputs.slot} on ${inputs.host}`;
  if (slot.lagBytes > maximumLag) return `${leader} is ${slot.lagBytes} bytes behind`;
  const late = view.members.find(
    ({ name, lagBytes }) => name !== leader && (lagBytes ?? Infinity) > maximumLag,
  );
  return late && `${late.name} is ${late.lagBytes ?? "an unknown number of"} bytes behind`;
}

/** How far the copies are that the members make: of the old server, then of the first of them. */
async function copiesInto(
  context: Context,
  inputs: StandbyInputs,
  leader: string | undefined,
): Promise<string> {
  const first = await context.host(inputs.host).observe(oldCopiesProbe(inputs));
  const others = leader ? await copiesOf(context, leader, inputs.memberPort) : [];
  return describeCopies([...first, ...others], inputs.members);
}
