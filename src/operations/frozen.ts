import type { PatroniClusterInputs } from "../resources/inputs/patroni-cluster";
import type { Hosts } from "./drain";
import { freezeChecks, thawChecks } from "./haproxy";

/** Seconds after which balancers look again by themselves, if nobody tells them to: longer than any work that they wait for. */
const AGAIN_SECONDS = 300;

/**
 * Has the load balancers go on with what they know of these members while Patroni, which they ask, is away. Sessions and new
 * connections go where they went before.
 */
export async function frozen<T>(
  hosts: Hosts,
  { hosts: balancers, entrances }: PatroniClusterInputs["balancers"],
  members: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  const servers = ["primary", ...entrances].flatMap((entrance) =>
    members.map((member) => `${entrance}/${member}`),
  );
  const onAll = (action: string, script: string) =>
    Promise.all(balancers.map((name) => hosts.host(name).change(action, script)));
  await onAll("freezing HAProxy's checks", freezeChecks(servers, AGAIN_SECONDS));
  try {
    return await work();
  } finally {
    await onAll("ending the freeze of HAProxy's checks", thawChecks(servers));
  }
}
