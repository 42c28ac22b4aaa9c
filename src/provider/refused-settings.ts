import { loadedProbe, type LoadedFiles } from "../facts/loaded";
import { conditionOf } from "../facts/member-state";
import { settingsProbe, type RunningSettings } from "../facts/settings";
import { loadErrors } from "../operations/loaded";
import { reloadMember } from "../operations/patroni";
import { ALTERED, notLoaded, type WantedSettings } from "../operations/settings";
import { sameSetting } from "../setting-values";
import { waitFor } from "../operations/wait";
import { askServers, statusesOf } from "./cluster-view";
import type { Context } from "./context";
import { clausesOf, shutOut, touchesSessions } from "./shut-out";
import { journalctl } from "../roles/journal";

/** The members of a cluster, and the port of their servers. */
interface Members {
  /** Endpoint of Patroni's REST API by host. */
  readonly members: { readonly [host: string]: string };
  readonly port: number;
}

/** Members look into the DCS once a round (loop_wait, at most some tens of seconds). */
const READ_SECONDS = 90;

/** After that Patroni writes PostgreSQL's files at once. What is not in them by then it has left out or made another. */
const WRITTEN_MS = 5_000;

/** A member that is busy may leave a question unanswered. */
const SIGHT_MS = 15_000;

/** A server reads its files as soon as Patroni has written them; sessions show it from then on. */
const READ_MS = 3_000;

/**
 * What the servers of the members do not load of settings that were just changed, in their own words: with these they would
 * go on, and not start again. Nothing of members that do not run: they tell when they start. What a member's Patroni does
 * not hand on is no refusal; who needs the setting waits for it.
 * @param changed the new values.
 * @param before how members were: what was so then is not these values' fault.
 */
export async function refusedSettings(
  context: Context,
  urn: string,
  cluster: Members,
  changed: WantedSettings,
  { closed, seen: inSightBefore }: Before = { closed: [], seen: [] },
): Promise<string[]> {
  if (Object.keys(changed).length === 0) return [];
  const before = await statusesOf(context, cluster);
  const read = new Map<string, number>();
  const refused = await waitFor<string[]>(
    async () => {
      const [statuses, servers] = await Promise.all([
        statusesOf(context, cluster),
        serversOf(context, cluster),
      ]);
      const waiting = Object.entries(servers).filter(([name, { settings }]) => {
        if (Object.keys(notLoaded(changed, settings)).length === 0) return false;
        if (seen(statuses[name]) > seen(before[name]) && !read.has(name))
          read.set(name, Date.now());
        return Date.now() - (read.get(name) ?? Infinity) < WRITTEN_MS || !read.has(name);
      });
      return waiting.length === 0
        ? { done: Object.entries(servers).flatMap(([name, { files }]) => wrong(name, files)) }
        : { missing: `${waiting.map(([name]) => name).join(", ")} not yet` };
    },
    waits(context, urn, "all members to read the new settings"),
  );
  if (refused.length > 0) return refused;
  const unseen = await outOfSight(context, cluster, inSightBefore, Object.keys(changed));
  if (unseen.length > 0 || !touchesSessions(changed)) return unseen;
  await new Promise((resolve) => setTimeout(resolve, READ_MS));
  const shut = Object.entries(await shutOut(context, cluster));
  return clausesOf(Object.fromEntries(shut.filter(([name]) => !closed.includes(name))));

  function wrong(member: string, { errors }: LoadedFiles): string[] {
    const own = errors.filter(({ name }) => name !== null && named(changed, name));
    return loadErrors(member, { errors: own });
  }
}

/** How members were before values were changed. */
export interface Before {
  /** Those that let nobody in. */
  readonly closed: readonly string[];
  /** Those whose Patroni knew how its server is. */
  readonly seen: readonly string[];
}

/** Members whose Patroni knows how its server is. */
export async function inSight(context: Context, cluster: Members): Promise<string[]> {
  const statuses = Object.entries(await statusesOf(context, cluster));
  return statuses
    .filter(([, status]) => conditionOf(status?.state ?? "unknown") !== "unknown")
    .map(([name]) => name);
}

/**
 * Members whose Patroni knew its server before, and does not any more although that answers us: its sessions have the new values
 * too, and each load balancer goes by what it says.
 */
async function outOfSight(
  context: Context,
  cluster: Members,
  before: readonly string[],
  names: readonly string[],
): Promise<string[]> {
  const end = Date.now() + SIGHT_MS;
  for (;;) {
    const now = await inSight(context, cluster);
    const lost = before.filter((name) => !now.includes(name));
    if (lost.length === 0) return [];
    if (Date.now() >= end) {
      const answering = await serversOf(context, cluster);
      return lost
        .filter((name) => Object.hasOwn(answering, name))
        .map(
          (name) =>
            `${name}: Patroni can no longer ask PostgreSQL, since its sessions have ${names.join(", ")} too`,
        );
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/**
 * Waits until no server has settings in its files any more that are taken back, or any of these that it does not load, and all
 * let somebody in. What is still there would look as if it waited for a restart.
 * @param closed members that let nobody in before.
 */
export async function untilGone(
  context: Context,
  urn: string,
  cluster: Members,
  former: WantedSettings,
  refused: WantedSettings,
  closed: readonly string[] = [],
): Promise<void> {
  const changed = Object.fromEntries(
    Object.keys({ ...former, ...refused })
      .filter((name) => former[name] !== refused[name])
      .map((name) => [name, refused[name] ?? ""]),
  );
  const before = await statusesOf(context, cluster);
  const told = new Set<string>();
  await waitFor<true>(
    async () => {
      const statuses = await statusesOf(context, cluster);
      const servers = Object.entries(await serversOf(context, cluster));
      const left = servers.filter(
        ([, { files, settings }]) =>
          files.errors.some(({ name }) => name !== null && named(changed, name)) ||
          has(settings, refused, former),
      );
      const shut = touchesSessions(changed) ? Object.keys(await shutOut(context, cluster)) : [];
      const late = [
        ...left.map(([name]) => name),
        ...shut.filter((name) => !closed.includes(name)),
      ];
      for (const name of late) {
        const hasLooked = seen(statuses[name]) > seen(before[name]);
        if (!hasLooked || told.has(name)) continue;
        // Before 3.3 it leaves its files as they are where the server runs with that already (postgresql/config.py, reload_config).
        await context
          .host(name)
          .change("having Patroni write its files", reloadMember(cluster.members[name] ?? ""));
        told.add(name);
      }
      return late.length === 0 ? { done: true } : { missing: `${late.join(", ")} not yet` };
    },
    waits(context, urn, "all members to have the old settings again"),
  );
}

function seen(one?: { readonly dcsLastSeen: number }): number {
  return one?.dcsLastSeen ?? 0;
}

/** Whether Patroni's files still have one of the refused values, by what it means, where the former one is another. */
function has(
  { files, kinds }: RunningSettings,
  refused: WantedSettings,
  former: WantedSettings,
): boolean {
  return Object.entries(refused).some(([name, value]) => {
    const [found, before, kind] = [files[name], former[name], kinds[name]];
    if (!found || found.file === ALTERED || !sameSetting(found.value, value, kind)) return false;
    return before === undefined || !sameSetting(before, value, kind);
  });
}

function named(settings: WantedSettings, name: string): boolean {
  return Object.hasOwn(settings, name.toLowerCase());
}

function waits(context: Context, urn: string, expected: string) {
  return {
    expected,
    seconds: READ_SECONDS,
    next: `${journalctl("patroni")} on the member.`,
    progress: (message: string) => context.progress(urn, message),
  };
}

/** What the servers that run have in their files. */
async function serversOf(
  context: Context,
  cluster: Members,
): Promise<{ [member: string]: { settings: RunningSettings; files: LoadedFiles } }> {
  const [settings, files] = await Promise.all([
    askServers(context, cluster, settingsProbe(cluster.port)),
    askServers(context, cluster, loadedProbe(cluster.port)),
  ]);
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, running]) => {
      const found = files[name];
      return running && found ? [[name, { settings: running, files: found }] as const] : [];
    }),
  );
}
