import { fullDisksProbe } from "../facts/full-disk";
import { dataPlaceProbe } from "../facts/places";
import { repairsProbe } from "../facts/repairs";
import type { ClusterView } from "../facts/patroni";
import type { Hosts } from "../operations/drain";
import { describeFull } from "../operations/full-disk";
import { describeStuck, remedyOf, type Standstill, type Stuck } from "../operations/stuck";
import type { Look } from "../operations/wait";

/**
 * Why it is no use to wait for these members any longer, or what they are repaired by at the moment; nothing if they may
 * still come back by themselves.
 */
export async function whyNotWait(
  hosts: Hosts,
  standstill: Standstill,
  names: readonly string[],
  view: ClusterView | undefined,
): Promise<Exclude<Look<never>, { done: never }> | undefined> {
  const stuck = standstill.see(names, view);
  if (stuck.length === 0) return undefined;
  const repairs = await Promise.all(
    stuck.map(async ({ name }) => {
      const programs = await hosts.host(name).observe(repairsProbe);
      return programs.map((program) => `${program} on ${name}`);
    }),
  );
  if (repairs.flat().length > 0) return { missing: repairs.flat().join(", ") };
  const next = stuck.map(
    async (one) =>
      (await placeProblem(hosts, one.name)) ?? (await roomProblem(hosts, one)) ?? remedyOf(one),
  );
  return { hopeless: describeStuck(stuck), next: (await Promise.all(next)).join(" ") };
}

/** That a member stands still for want of room, which a new copy would want as well; nothing if it has some. */
async function roomProblem(hosts: Hosts, { name }: Stuck): Promise<string | undefined> {
  const full = describeFull(name, await hosts.host(name).observe(fullDisksProbe), true);
  return full.length === 0 ? undefined : full.join(" ");
}

/**
 * That the file system of a member's data keeps its Patroni from starting, and what helps; nothing if it does not. It comes before
 * other remedies: a member is not to be made anew for a disk that is not mounted.
 */
export async function placeProblem(hosts: Hosts, name: string): Promise<string | undefined> {
  const place = await hosts.host(name).observe(dataPlaceProbe);
  return place === "" ? undefined : `${name}: ${place}`;
}
