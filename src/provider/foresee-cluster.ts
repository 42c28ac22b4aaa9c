import { foreseeAltered } from "../cluster/altered-start";
import { chooseLeader } from "../cluster/candidates";
import { runningBackupsProbe } from "../facts/activity";
import { heldProbe } from "../facts/owned";
import { isSynchronous } from "../facts/patroni";
import { contextsProbe } from "../facts/settings";
import { describeCopying } from "../operations/copying";
import { describeHeld, describeRemovals, held, removed } from "../operations/removals";
import { describeSchemas } from "../operations/schemas";
import { ORDERED, wantedSettings, type WantedSettings } from "../operations/settings";
import type { UpdateReportInputs } from "../resources/inputs/patroni-cluster";
import { canonicalText, sameValue } from "../rpc/values";
import { sameSetting } from "../setting-values";
import { leaderOf } from "../facts/member-state";
import { viewOf } from "./cluster-view";
import type { Context } from "./context";
import { foreseeCatalog } from "./foresee-catalog";

type Known = Pick<UpdateReportInputs, "configuration" | "pendingRestart" | "roles" | "databases">;

/**
 * What an update will do to the running members and to what is in the database, in plain words: what interrupts somebody
 * first. Whoever asks the same in one run gets the same answer, and the hosts are asked once.
 */
export function foreseeCluster(
  context: Context,
  {
    cluster,
    members,
    port,
    configuration,
    neverLead,
    leaderStays,
    rolling,
    roles,
    databases,
  }: Omit<UpdateReportInputs, "pendingRestart">,
  known: Known,
): Promise<string[]> {
  const wanted = {
    ...{ cluster, members, port, configuration, pendingRestart: [], neverLead, leaderStays },
    ...{ rolling, roles, databases },
  };
  const before = {
    configuration: known.configuration ?? {},
    pendingRestart: known.pendingRestart ?? [],
    roles: known.roles ?? [],
    databases: known.databases ?? [],
  };
  return context.once(`what an update does: ${canonicalText([wanted, before])}`, () =>
    foresee(context, wanted, before),
  );
}

async function foresee(
  context: Context,
  inputs: UpdateReportInputs,
  known: Known,
): Promise<string[]> {
  const view = await viewOf(context, inputs);
  const leader = leaderOf(view);
  if (!leader) return ["waits for a leader first"];
  const contexts = await context.host(leader).observe(contextsProbe(inputs.port));
  const wanted = wantedSettings(inputs.configuration);
  const before = withoutLoaded(wantedSettings(known.configuration), wanted);
  const changed = [...new Set([...Object.keys(before), ...Object.keys(wanted)])]
    .filter((name) => !sameSetting(before[name] ?? "", wanted[name] ?? "", contexts[name]))
    .sort();
  const show = (name: string) =>
    `${name}: ${before[name] ?? "its default"} → ${wanted[name] ?? "its default"}`;
  const restarting = changed.filter((name) => contexts[name]?.context === "postmaster");
  const reloading = changed.filter((name) => !restarting.includes(name));
  const effects: string[] = [];
  if (view?.paused) effects.push(PAUSED);
  const waiting = known.pendingRestart;
  if (restarting.length > 0 || waiting.length > 0) {
    const what = [
      ...restarting.map(show),
      ...(waiting.length > 0 ? [`${waiting.join(", ")} already waiting`] : []),
    ];
    const how = view?.paused ? AFTER_PAUSE : howItRolls(restarting, before, wanted);
    effects.push(`${what.join(", ")}: needs a restart of PostgreSQL. ${how}`);
    const restarted = restarting.length > 0 ? Object.keys(inputs.members) : waiting;
    const altered = restarted.map((name) =>
      foreseeAltered(context.host(name), name, inputs.port, wanted),
    );
    effects.push(...(await Promise.all(altered)).flat());
    const copies = await context.host(leader).observe(runningBackupsProbe(inputs.port));
    effects.push(
      ...copies.map(
        (copy) =>
          `${leader}: ${describeCopying(copy)}: it is not cut. up waits ${inputs.rolling.wait} s for its end, then stops before that restart.`,
      ),
    );
  }
  const gone = removed(known, inputs);
  effects.push(...describeRemovals(gone));
  const dropped = gone.roles.filter(({ onRemoval }) => onRemoval === "drop");
  if (dropped.length > 0) {
    const names = dropped.map(({ name }) => name);
    const all = await context.host(leader).observe(heldProbe(inputs.port, names));
    effects.push(...describeHeld(held(gone, all)));
  }
  if (reloading.length > 0) {
    effects.push(`${reloading.map(show).join(", ")}: reloaded by every member, nothing restarts`);
  }
  const others = otherKeys(known.configuration, inputs.configuration);
  if (others.length > 0) {
    effects.push(`${others.join(", ")}: taken over by Patroni in its next round, nothing restarts`);
  }
  return [
    ...effects,
    ...describeSlots(slotsOf(known.configuration), slotsOf(inputs.configuration)),
    ...(await foreseeCatalog(context.host(leader), inputs, known)),
    ...inputs.databases.flatMap(({ name, schemas = [] }) => {
      const there = known.databases.find((one) => one.name === name);
      return describeSchemas(name, there?.schemas ?? [], schemas);
    }),
  ];

  function howItRolls(
    names: readonly string[],
    old: { readonly [name: string]: string },
    next: { readonly [name: string]: string },
  ): string {
    const replicas = (view?.members ?? []).filter(({ name }) => name !== leader);
    if (replicas.length === 0) return `${leader} restarts: no connections for that time.`;
    const list = replicas.map(({ name }) => name).join(", ");
    const ordered = names.filter((name) => (ORDERED as readonly string[]).includes(name));
    const lower = ordered.filter((name) => Number(next[name]) < Number(old[name]));
    const higher = ordered.filter((name) => !lower.includes(name));
    if (lower.length > 0) {
      const must = `A lower ${lower.join(", ")} must reach the leader first`;
      const inPlace = `${leader} restarts in place (no writes for that time)`;
      const rest = "one at a time, drained before";
      if (higher.length > 0)
        return (
          `${must}, a higher ${higher.join(", ")} the replicas: ${list} restart, ${rest}; then ${inPlace}; ` +
          `then ${list} a second time.`
        );
      if (names.length > lower.length)
        return (
          `${must}: one replica tries the other settings; then ${inPlace}; then ${list}, ${rest}, ` +
          "the one that tried a second time."
        );
      return `${must}: ${inPlace}, then ${list}, ${rest}.`;
    }
    if (leader === inputs.leaderStays) {
      return `First ${list}, one at a time; then ${leader} in place (no connections for that time).`;
    }
    const rules = {
      neverLead: inputs.neverLead,
      synchronous: replicas.some(isSynchronous),
      maximumLag: inputs.rolling.maximumLag,
    };
    const able = chooseLeader(rules, "handover", replicas)
      .able.map(({ name }) => name)
      .join(" or ");
    return (
      `First ${list}, one at a time, drained before; then a switchover from ${leader} to a replica that may lead (now ${able || "none"}) ` +
      "(no writes for some seconds), which restarts it too."
    );
  }
}

const PAUSED =
  "the cluster is paused: nothing fails over, and PostgreSQL is restarted and started nowhere";
const AFTER_PAUSE =
  "Not while the cluster is paused: `pgherd resume`, then pulumi up restarts them.";

/** What was found on one member only, without what it has loaded already: `144MB on db3` where 144MB is wanted. */
function withoutLoaded(found: WantedSettings, wanted: WantedSettings): WantedSettings {
  return Object.fromEntries(
    Object.entries(found).map(([name, value]) => [
      name,
      /^(.*) on \S+$/s.exec(value)?.[1] === wanted[name] ? (wanted[name] ?? value) : value,
    ]),
  );
}

/** Keys of the dynamic configuration that change, those that are told of in other words apart: `ttl: 30 → 20`. */
function otherKeys(
  before: { readonly [key: string]: unknown },
  wanted: { readonly [key: string]: unknown },
): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(wanted)])]
    .filter((key) => !["postgresql", "slots"].includes(key) && !sameValue(before[key], wanted[key]))
    .sort()
    .map((key) => `${key}: ${worded(before[key])} → ${worded(wanted[key])}`);
}

interface Slots {
  readonly [name: string]: { readonly type?: string };
}

function slotsOf({ slots }: { readonly [key: string]: unknown }): Slots {
  return (slots ?? {}) as Slots;
}

/** Slots that Patroni keeps through every change of the leader (patroni/postgresql/slots.py, sync_replication_slots). */
function describeSlots(before: Slots, wanted: Slots): string[] {
  const title = (name: string, { type = "physical" }: Slots[string]) => `slot ${name} (${type})`;
  return [...new Set([...Object.keys(before), ...Object.keys(wanted)])].sort().flatMap((name) => {
    const [old, next] = [before[name], wanted[name]];
    if (sameValue(old, next)) return [];
    if (!old && next) return [`${title(name, next)}: kept on every member from then on`];
    if (old && !next)
      return [
        `${title(name, old)} leaves the stack: Patroni drops it, unless a member streams from it. ` +
          "Whoever else reads it cannot go on from where he was",
      ];
    return [`slot ${name}: ${worded(old)} → ${worded(next)}: made anew by Patroni`];
  });
}

function worded(value: unknown): string {
  return value === undefined ? "none" : JSON.stringify(value);
}
