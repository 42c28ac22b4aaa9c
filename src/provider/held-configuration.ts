import { dcsAt, type DcsAddress, type Unnamed } from "../dcs/dcs";
import { patroniKey, provenKey } from "../dcs/patroni";
import { askDcs } from "../operations/dcs";
import { sameValue, type Values } from "../rpc/values";
import type { Context } from "./context";

/** Where a cluster's dynamic configuration is kept. */
interface Place extends Unnamed<DcsAddress> {
  readonly cluster: string;
  /** A host that may reach the DCS. */
  readonly host: string;
  /** Others that may. */
  readonly members: { readonly [host: string]: unknown };
}

/** What the DCS holds of a cluster's configuration. */
export interface Held {
  readonly configuration: Values;
  /** What is switched while the cluster runs. */
  readonly runtime: Values;
  readonly revision: string;
  /**
   * The last configuration with which all members have run, where they have not been seen to run with this one yet. It is
   * written with the change and forgotten once every member runs: what stays was left by a run that was killed.
   */
  readonly proven?: Values;
}

/**
 * What is switched while the cluster runs, by `patronictl pause` or the end of a migration: never overwritten. Without
 * `standby_cluster` a standby cluster takes writes.
 */
const RUNTIME_KEYS = ["pause", "standby_cluster"];

export async function heldConfiguration(context: Context, place: Place): Promise<Held | undefined> {
  const [found, proven] = await askDcs(context, hostsOf(place), (host) =>
    Promise.all(
      [key(place), provenKey(place.cluster)].map((name) =>
        host.observe(dcsAt(place).keyProbe(name)),
      ),
    ),
  );
  if (!found) return undefined;
  const all = JSON.parse(found.value) as Values;
  const part = (runtime: boolean) =>
    Object.fromEntries(
      Object.entries(all).filter(([name]) => RUNTIME_KEYS.includes(name) === runtime),
    );
  return {
    configuration: part(false),
    runtime: part(true),
    revision: found.revision,
    ...(proven && { proven: JSON.parse(proven.value) as Values }),
  };
}

/**
 * Writes the configuration, unless somebody else has since it was read. In the same moment the one that was there is kept as
 * the proven one, where PostgreSQL's settings change and nothing older is kept.
 * @param beginning what stands beside it when it is first written.
 */
export async function holdConfiguration(
  context: Context,
  place: Place,
  configuration: Values,
  found: Held | undefined,
  beginning: object = {},
): Promise<void> {
  const value = JSON.stringify({ ...configuration, ...(found ? found.runtime : beginning) });
  const proves =
    found && !found.proven && !sameValue(settings(found.configuration), settings(configuration));
  const script = dcsAt(place).changeKey(
    key(place),
    value,
    found?.revision ?? "0",
    proves ? { [provenKey(place.cluster)]: JSON.stringify(found.configuration) } : {},
  );
  await askDcs(context, hostsOf(place), (host) =>
    host.change("changing the dynamic configuration", script),
  );
}

/** The configuration that the DCS holds is proven: every member runs with it. */
export async function provenByAll(context: Context, place: Place): Promise<void> {
  const dcs = dcsAt(place);
  await askDcs(context, hostsOf(place), async (host) => {
    const found = await host.observe(dcs.keyProbe(provenKey(place.cluster)));
    if (!found) return;
    const script = dcs.deleteKey(provenKey(place.cluster), found.revision);
    await host.change("keeping the dynamic configuration", script);
  });
}

function hostsOf({ host, members }: Place): string[] {
  return [host, ...Object.keys(members)];
}

function settings({ postgresql }: Values): unknown {
  return (postgresql as Values | undefined)?.parameters;
}

function key({ cluster }: Place): string {
  return patroniKey(cluster, "config");
}
