import { setTimeout as sleep } from "node:timers/promises";
import { dcsAt } from "../dcs/dcs";
import { patroniKey } from "../dcs/patroni";
import { CommandError, ConnectError } from "../errors";
import { unitAgeProbe } from "../facts/unit-age";
import { askDcs } from "../operations/dcs";
import { beginPatroniAnew } from "../operations/patroni-anew";
import type { PatroniClusterInputs } from "../resources/inputs/patroni-cluster";
import { patroni } from "../roles/patroni";
import { whoTakesWrites } from "./cluster-view";
import type { Context } from "./context";

type Place = Pick<PatroniClusterInputs, "cluster" | "members" | "port" | "dcs" | "configuration">;

/** Patroni's own, where the configuration says nothing (docs/dynamic_configuration.rst). */
const TTL = 30;

/** Seconds between two looks: a Patroni that has only just got an answer again is heard of in its next round. */
const AGAIN_SECONDS = 5;

/**
 * Has each Patroni begin anew that runs, and tells the DCS nothing though its host gets answers there: one that hangs, or one
 * that takes an etcd which was made anew for a member that was left behind. It remembers how many elections there have been, and
 * of the same members with fewer it asks nothing until it is started again (patroni/dcs/etcd3.py, `_check_cluster_raft_term`).
 * PostgreSQL goes on meanwhile.
 */
export async function beginUnheardAnew(context: Context, urn: string, place: Place): Promise<void> {
  const { ttl = TTL, loop_wait: loop = 10 } = place.configuration as Record<string, number>;
  let silent = await whoIsUnheard(context, place, Object.keys(place.members));
  const ripe = () => Object.keys(silent).filter((name) => (silent[name] ?? 0) > 2 * ttl);
  // One that keeps ending and beginning never gets old.
  for (let waited = 0; waited < 2 * (ttl + loop); waited += AGAIN_SECONDS) {
    const names = Object.keys(silent);
    if (names.length === 0 || (waited >= 2 * loop && ripe().length === names.length)) break;
    context.progress(urn, `${names.join(", ")}: Patroni runs, and the DCS has not heard of it yet`);
    await sleep(AGAIN_SECONDS * 1000);
    silent = await whoIsUnheard(context, place, names);
  }
  const unheard = ripe();
  if (unheard.length === 0) return;
  // A DCS that was made anew does not say which replica has all that was acknowledged: whoever takes writes now leads on.
  const primaries = await whoTakesWrites(context, place.port, unheard);
  await beginAnew(context, urn, primaries);
  if (primaries.length > 0) await untilSomebodyLeads(context, urn, place, ttl + loop);
  await beginAnew(
    context,
    urn,
    unheard.filter((name) => !primaries.includes(name)),
  );
}

async function beginAnew(context: Context, urn: string, names: readonly string[]): Promise<void> {
  await Promise.all(
    names.map(async (name) => {
      context.info(
        urn,
        `${name}: Patroni runs, and tells the DCS nothing, which answers its host; it is started again, and PostgreSQL goes on`,
      );
      await context.host(name).change("starting Patroni again", beginPatroniAnew(patroni.unit));
    }),
  );
}

/** One that does not come to lead in time keeps the others from nothing: they have waited as long as for a silent leader. */
async function untilSomebodyLeads(
  context: Context,
  urn: string,
  { cluster, members, dcs }: Place,
  seconds: number,
): Promise<void> {
  const end = Date.now() + seconds * 1000;
  const key = dcsAt(dcs).keyProbe(patroniKey(cluster, "leader"));
  const ask = () =>
    askDcs(context, [dcs.host, ...Object.keys(members)], (host) => host.observe(key));
  while (!(await ask()) && Date.now() < end) {
    context.progress(urn, "waiting for the primary to lead again");
    await sleep(1000);
  }
}

/** For how many seconds Patroni has been running on those of these members of which the DCS knows nothing. */
async function whoIsUnheard(
  context: Context,
  { cluster, dcs }: Place,
  names: readonly string[],
): Promise<{ readonly [name: string]: number }> {
  const looks = await Promise.all(
    names.map(async (name): Promise<[string, number][]> => {
      try {
        const host = context.host(name);
        const [age, key] = await Promise.all([
          host.observe(unitAgeProbe(patroni.unit)),
          host.observe(dcsAt(dcs).keyProbe(patroniKey(cluster, `members/${name}`))),
        ]);
        return age !== undefined && key === undefined ? [[name, age]] : [];
      } catch (error) {
        // Who gets no answer himself cannot tell of it, and who cannot be asked shows by other resources.
        if (error instanceof CommandError || error instanceof ConnectError) return [];
        throw error;
      }
    }),
  );
  return Object.fromEntries(looks.flat());
}
