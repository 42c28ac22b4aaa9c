import { dcsAt } from "../../dcs/dcs";
import { forgetDatabase, patroniKey } from "../../dcs/patroni";
import { isEmptyProbe, placesProbe } from "../../facts/places";
import { askDcs } from "../../operations/dcs";
import type { StandbyInputs } from "../inputs/standby";
import type { Context } from "../../provider/context";
import { beginCopiesAnew } from "../../provider/first-copies";

/**
 * Has members of a cluster that follows a server begin their first copies anew that never followed, also where nobody has
 * another one: Patroni makes none as long as the DCS knows of a database that some member should have (patroni/ha.py,
 * bootstrap). The database itself is the old server's, which goes on.
 */
export async function beginStandbyAnew(
  context: Context,
  urn: string,
  inputs: Pick<StandbyInputs, "cluster" | "members" | "dcs">,
): Promise<void> {
  await beginCopiesAnew(context, urn, inputs);
  const { cluster, dcs } = inputs;
  const hosts = [dcs.host, ...Object.keys(inputs.members)];
  const key = await askDcs(context, hosts, (host) =>
    host.observe(dcsAt(dcs).keyProbe(patroniKey(cluster, "initialize"))),
  );
  // While a member makes the first copy it has no value.
  if (!key?.value) return;
  const empty = await Promise.all(
    Object.keys(inputs.members).map(async (name) => {
      const host = context.host(name);
      return host.observe(isEmptyProbe(await host.observe(placesProbe)));
    }),
  );
  if (!empty.every((one) => one)) return;
  context.info(urn, "no member has a copy of the server that follows it; the first is made anew");
  const forget = forgetDatabase(dcsAt(dcs), cluster, key.revision);
  await askDcs(context, hosts, (host) => host.change("beginning with a new copy", forget));
}
