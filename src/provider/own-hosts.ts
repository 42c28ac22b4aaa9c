import { clusterRecordProbe } from "../facts/cluster-record";
import { memberStatusProbe } from "../facts/patroni";
import type { UnitState } from "../facts/systemd";
import { isUp } from "../operations/units";
import type { DepartureInputs } from "../resources/inputs/departure";
import type { Context } from "./context";

/**
 * Those of these hosts on which Patroni is another cluster's, or nobody's that is known: a host that has left may have been given to
 * another stack since, and the state may not know that it has left.
 * @param units Patroni's, by host.
 */
export async function notOurs(
  context: Context,
  { cluster, leaving }: Pick<DepartureInputs, "cluster" | "leaving">,
  units: { readonly [host: string]: UnitState },
): Promise<{ [host: string]: string }> {
  const asked = Object.entries(units).map(async ([name, unit]): Promise<[string, string][]> => {
    const host = context.host(name);
    const record = await host.observe(clusterRecordProbe);
    if (record !== "" && record !== cluster) return [[name, record]];
    // What is enabled and does not run answers nothing.
    const scope = isUp(unit)
      ? (await host.observe(memberStatusProbe(leaving[name] ?? "")))?.scope
      : undefined;
    if (scope !== undefined && scope !== cluster) return [[name, scope]];
    const known = record !== "" || scope !== undefined;
    return known || (!isUp(unit) && unit.enabled !== "enabled") ? [] : [[name, ""]];
  });
  return Object.fromEntries((await Promise.all(asked)).flat());
}

/** That a host is left alone, and what to do if that is not meant. */
export function leftAlone(name: string, cluster: string, found: string): string {
  return (
    `${name}: expected a host of the cluster ${cluster}, which it leaves, found ${found === "" ? "a Patroni of which nothing tells the cluster" : `one of the cluster ${found}`}: ` +
    "it is left alone. If Patroni there is to end, stop and disable it by hand."
  );
}
