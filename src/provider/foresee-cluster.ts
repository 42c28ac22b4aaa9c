import { runningBackupsProbe } from "../facts/activity";
import { isSynchronous } from "../facts/patroni";
import { contextsProbe } from "../facts/settings";
import { describeCopying } from "../operations/copying";
import { describeRemovals, removed } from "../operations/removals";
import { ORDERED, wantedSettings, type WantedSettings } from "../operations/settings";
import type { PatroniClusterInputs } from "../resources/inputs";
import { sameValue, type Value } from "../rpc/values";
import { sameSetting } from "../setting-values";
import { leaderOf, viewOf } from "./cluster-view";
import type { Context } from "./context";

/** What an update will do to the running members, in plain words. */
export async function foreseeCluster(
  context: Context,
  inputs: PatroniClusterInputs,
  known: PatroniClusterInputs,
): Promise<string[]> {
  const view = await viewOf(context, inputs);
  const leader = leaderOf(view);
  if (!leader) return ["waits for a leader first"];
  const contexts = await context.host(leader).observe(contextsProbe(inputs.port));
  const wanted = wantedSettings(inputs.configuration);
  const before = withoutLoaded(wantedSettings(known.configuration ?? {}), wanted);
  const changed = [...new Set([...Object.keys(before), ...Object.keys(wanted)])]
    .filter((name) => !sameSetting(before[name] ?? "", wanted[name] ?? "", contexts[name]))
    .sort();
  const show = (name: string) =>
    `${name}: ${before[name] ?? "its default"} → ${wanted[name] ?? "its default"}`;
  const restarting = changed.filter((name) => contexts[name]?.context === "postmaster");
  const reloading = changed.filter((name) => !restarting.includes(name));
  const effects: string[] = [];
  if (view?.paused) effects.push(PAUSED);
  if (reloading.length > 0) {
    effects.push(`${reloading.map(show).join(", ")}: reloaded by every member, nothing restarts`);
  }
  const waiting = known.pendingRestart ?? [];
  if (restarting.length > 0 || waiting.length > 0) {
    const what = [
      ...restarting.map(show),
      ...(waiting.length > 0 ? [`${waiting.join(", ")} already waiting`] : []),
    ];
    const how = view?.paused ? AFTER_PAUSE : howItRolls(restarting, before, wanted);
    effects.push(`${what.join(", ")}: needs a restart of PostgreSQL. ${how}`);
    const copies = await context.host(leader).observe(runningBackupsProbe(inputs.port));
    effects.push(
      ...copies.map(
        (copy) =>
          `${leader}: ${describeCopying(copy)}: it is not cut. up waits ${inputs.rolling.wait} s for its end, then stops before that restart.`,
      ),
    );
  }
  const others = otherKeys(known.configuration ?? {}, inputs.configuration);
  if (others.length > 0) {
    effects.push(`${others.join(", ")}: taken over by Patroni in its next round, nothing restarts`);
  }
  const gone = removed(known, inputs);
  const staying = <T extends { readonly name: string }>(
    all: readonly T[] = [],
    left: readonly T[],
  ) => all.filter((one) => !left.includes(one)) as unknown as Value;
  if (!sameValue(staying(known.roles, gone.roles), inputs.roles as unknown as Value))
    effects.push(bySql("roles", known.roles, inputs.roles));
  if (!sameValue(staying(known.databases, gone.databases), inputs.databases as unknown as Value))
    effects.push(bySql("databases", known.databases, inputs.databases));
  return [...effects, ...describeRemovals(gone)];

  function howItRolls(
    names: readonly string[],
    old: { readonly [name: string]: string },
    next: { readonly [name: string]: string },
  ): string {
    const replicas = (view?.members ?? []).filter(({ name }) => name !== leader);
    if (replicas.length === 0) return `${leader} restarts: no connections for that time.`;
    const list = replicas.map(({ name }) => name).join(", ");
    const lower = names.filter(
      (name) =>
        (ORDERED as readonly string[]).includes(name) && Number(next[name]) < Number(old[name]),
    );
    if (lower.length > 0) {
      return (
        `A lower ${lower.join(", ")} must reach the leader first: ${leader} restarts in place (no writes for that time), ` +
        `then ${list}, one at a time, drained before.`
      );
    }
    if (leader === inputs.leaderStays) {
      return `First ${list}, one at a time; then ${leader} in place (no connections for that time).`;
    }
    const synchronous = replicas.filter(isSynchronous);
    const heir = (synchronous.length > 0 ? synchronous : replicas)
      .map(({ name }) => name)
      .filter((name) => !inputs.neverLead.includes(name))
      .join(" or ");
    return (
      `First ${list}, one at a time, drained before; then a switchover from ${leader} to a replica that may lead (now ${heir || "none"}) ` +
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

function bySql<T extends { readonly name: string }>(
  what: string,
  known: readonly T[] = [],
  wanted: readonly T[],
): string {
  const names = wanted
    .filter((one) => !known.some((other) => sameValue(other, one)))
    .map(({ name }) => name);
  return `${[what, ...(names.length > 0 ? [names.join(", ")] : [])].join(" ")}: changed by SQL, no service is touched`;
}

/** Keys of the dynamic configuration, PostgreSQL's settings apart, that change: `ttl: 30 → 20`. */
function otherKeys(
  before: { readonly [key: string]: unknown },
  wanted: { readonly [key: string]: unknown },
): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(wanted)])]
    .filter((key) => key !== "postgresql" && !sameValue(before[key] as Value, wanted[key] as Value))
    .sort()
    .map((key) => `${key}: ${worded(before[key])} → ${worded(wanted[key])}`);
}

function worded(value: unknown): string {
  return value === undefined ? "none" : JSON.stringify(value);
}
