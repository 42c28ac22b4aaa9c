import { page } from "../facts/patroni";
import { memberSlotsProbe } from "../operations/departure";
import { patchConfiguration } from "../operations/patroni";
import type { DepartureInputs } from "../resources/inputs/departure";
import { slotOf } from "../roles/patroni";
import { leaderOf } from "../facts/member-state";
import { askPostgres, isFollowing, viewOf } from "./cluster-view";
import type { Context } from "./context";
import { waitFor } from "../operations/wait";

/** Patroni drops it in its next round, on replicas in the one after. */
const DROPPED_SECONDS = 90;

/**
 * Drops the slots of members that have left. Patroni from 4.0 on keeps one for half an hour after its member has gone, and all WAL
 * since then with it, and makes it anew whoever drops it; without a time to keep it (`member_slots_ttl`) it drops it by itself
 * (patroni/postgresql/slots.py). Where somebody streams from it, it stays, and is told of.
 */
export async function dropMemberSlots(
  context: Context,
  urn: string,
  inputs: DepartureInputs,
  left: readonly string[],
  staying: readonly string[],
): Promise<void> {
  const view = await viewOf(context, inputs);
  const leader = leaderOf(view);
  // Whoever is away at this moment would lose his own.
  const whole = staying.every((name) => isFollowing(view, name));
  if (leader === undefined || !whole) {
    context.warn(urn, LATER(left));
    return;
  }
  const endpoint = inputs.members[leader] ?? "";
  const kept = await context
    .host(leader)
    .observe({ script: page(endpoint, "config"), parse: slotsIn });
  // Before 4.0 those of members stand in the configuration, and go with it.
  const names = left.filter((name) => !kept.includes(slotOf(name)));
  const found = () => slotsOn(context, inputs, names);
  if (names.length === 0 || Object.keys(await found()).length === 0) return;
  const patch = (seconds: number | null) =>
    context
      .host(leader)
      .change(
        seconds === null
          ? "keeping slots of members again"
          : "having slots of former members dropped",
        patchConfiguration(endpoint, { member_slots_ttl: seconds }),
      );
  await patch(0);
  const end = Date.now() + DROPPED_SECONDS * 1000;
  try {
    await waitFor<true>(
      async () => {
        const slots = await found();
        const there = Object.keys(slots);
        if (there.length === 0) return { done: true };
        // What streams to a host that has lost its power ends after a minute (wal_sender_timeout).
        if (there.every((slot) => slots[slot]) && Date.now() > end) {
          context.warn(urn, USED(there));
          return { done: true };
        }
        return { missing: `${there.join(", ")} still there` };
      },
      {
        expected: `Patroni to drop the slots of ${names.join(", ")}`,
        seconds: DROPPED_SECONDS + 10,
        next: "pgherd logs of the leader; the next `pulumi up` goes on from there.",
        progress: (message) => context.progress(urn, message),
      },
    );
  } finally {
    await patch(null);
  }
}

/** Slots with their names on any member that stays, and whether somebody streams from them. */
async function slotsOn(
  context: Context,
  { members, port }: DepartureInputs,
  names: readonly string[],
): Promise<{ [slot: string]: boolean }> {
  const probe = memberSlotsProbe(port, names);
  const view = await viewOf(context, { members });
  const on = await Promise.all(
    Object.keys(members)
      .filter((name) => isFollowing(view, name))
      .map((name) => askPostgres(context, name, probe)),
  );
  const slots: { [slot: string]: boolean } = {};
  for (const one of on)
    for (const [slot, active] of Object.entries(one ?? {}))
      slots[slot] = (slots[slot] ?? false) || active;
  return slots;
}

function slotsIn(answer: string): string[] {
  const { slots } = JSON.parse(answer.trim() === "" ? "{}" : answer) as { slots?: object | null };
  return Object.keys(slots ?? {});
}

const LATER = (left: readonly string[]) =>
  `not every member is up: the slots of ${left.join(", ")} are not dropped now. Patroni drops them half an hour after their members have gone.`;

const USED = (slots: readonly string[]) =>
  `somebody streams from ${slots.join(", ")}, the slot of a member that has left: it stays, and Patroni drops it once nobody does.`;
