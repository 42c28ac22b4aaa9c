import { page, type ClusterView } from "../facts/patroni";
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
  const [first, ...others] = byRank(view, inputs);
  const held = first === undefined ? undefined : await configurationOf(context, inputs, first);
  // A run that was killed has left it so.
  if (held?.seconds === 0) await keepAgain(context, inputs, [first ?? "", ...others]);
  // Whoever is away at this moment would lose his own.
  const whole = staying.every((name) => isFollowing(view, name));
  if (leader === undefined || !whole || !held) {
    context.warn(urn, LATER(left));
    return;
  }
  // Before 4.0 those of members stand in the configuration, and go with it.
  const names = left.filter((name) => !held.slots.includes(slotOf(name)));
  if (names.length === 0 || Object.keys(await slotsOn(context, inputs, names)).length === 0) return;
  const failure = await droppedByPatroni(context, urn, inputs, leader, names).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  try {
    await keepAgain(context, inputs, [leader, ...byRank(await viewOf(context, inputs), inputs)]);
  } catch (error) {
    if (!failure) throw error;
    context.warn(urn, NOT_KEPT(error instanceof Error ? error.message : String(error)));
  }
  if (failure) throw failure.error;
}

/** Has Patroni drop slots at once, and waits until it has. What it is told for that stays. */
async function droppedByPatroni(
  context: Context,
  urn: string,
  inputs: DepartureInputs,
  leader: string,
  names: readonly string[],
): Promise<void> {
  await context
    .host(leader)
    .change(
      "having slots of former members dropped",
      patchConfiguration(inputs.members[leader] ?? "", { member_slots_ttl: 0 }),
    );
  const end = Date.now() + DROPPED_SECONDS * 1000;
  await waitFor<true>(
    async () => {
      const slots = await slotsOn(context, inputs, names);
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
}

/**
 * Has Patroni keep slots of members that are away again, by whichever member takes it.
 * @throws what the first of them has said, if none does.
 */
async function keepAgain(
  context: Context,
  { members }: DepartureInputs,
  names: readonly string[],
): Promise<void> {
  const failures: unknown[] = [];
  for (const name of new Set(names)) {
    const script = patchConfiguration(members[name] ?? "", { member_slots_ttl: null });
    try {
      await context.host(name).change("keeping slots of members again", script);
      return;
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures[0];
}

/** The members that follow, their leader first; all of them where none is known to. */
function byRank(view: ClusterView | undefined, { members }: DepartureInputs): string[] {
  const leader = leaderOf(view);
  const able = Object.keys(members).filter((name) => isFollowing(view, name));
  if (able.length === 0) return Object.keys(members);
  return able.sort((a, b) => Number(b === leader) - Number(a === leader));
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

interface Kept {
  /** Slots that the configuration names. */
  readonly slots: readonly string[];
  /** For how long those of members that are away are kept; absent where Patroni's default holds. */
  readonly seconds?: unknown;
}

/** What the member says of the dynamic configuration; nothing where it does not answer. */
function configurationOf(
  context: Context,
  { members }: DepartureInputs,
  name: string,
): Promise<Kept | undefined> {
  return context.host(name).observe({
    script: page(members[name] ?? "", "config"),
    parse(answer) {
      if (answer.trim() === "") return undefined;
      const told = JSON.parse(answer) as { slots?: object | null; member_slots_ttl?: unknown };
      return { slots: Object.keys(told.slots ?? {}), seconds: told.member_slots_ttl };
    },
  });
}

const LATER = (left: readonly string[]) =>
  `not every member is up: the slots of ${left.join(", ")} are not dropped now. Patroni drops them half an hour after their members have gone.`;

const USED = (slots: readonly string[]) =>
  `somebody streams from ${slots.join(", ")}, the slot of a member that has left: it stays, and Patroni drops it once nobody does.`;

const NOT_KEPT = (message: string) =>
  `member_slots_ttl is 0 still: Patroni drops the slot of every member that is away. The next \`pulumi up\` takes it back; got: ${message}`;
