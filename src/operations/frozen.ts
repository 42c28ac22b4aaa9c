import type { PatroniClusterInputs } from "../resources/inputs/patroni-cluster";
import type { Hosts } from "./drain";
import { freezeChecks, thawChecks } from "./haproxy";

type Balancers = PatroniClusterInputs["balancers"];

/** Seconds after which balancers look again by themselves, if nobody tells them to: longer than any work that they wait for. */
const AGAIN_SECONDS = 900;

/**
 * Has the load balancers go on with what they know of these members while Patroni, which they ask, is away. Sessions and new
 * connections go where they went before.
 * @param end whether they look again too where the work has failed; else they do so by themselves, later.
 */
export async function frozen(
  hosts: Hosts,
  balancers: Balancers,
  members: readonly string[],
  end: "thawed at the end" | "thawed if all is well",
  work: () => Promise<unknown>,
): Promise<void> {
  const servers = serversOf(balancers, members);
  await onAll(hosts, balancers, "freezing HAProxy's checks", freezeChecks(servers, AGAIN_SECONDS));
  try {
    await work();
  } catch (error) {
    if (end === "thawed at the end") await thaw(hosts, balancers, members);
    throw error;
  }
  await thaw(hosts, balancers, members);
}

/** Has them look again, whoever had them not. */
export async function thaw(
  hosts: Hosts,
  balancers: Balancers,
  members: readonly string[],
): Promise<void> {
  const script = thawChecks(serversOf(balancers, members));
  await onAll(hosts, balancers, "ending the freeze of HAProxy's checks", script);
}

function serversOf({ entrances }: Balancers, members: readonly string[]): string[] {
  return ["primary", ...entrances].flatMap((entrance) =>
    members.map((member) => `${entrance}/${member}`),
  );
}

async function onAll(hosts: Hosts, balancers: Balancers, action: string, script: string) {
  await Promise.all(balancers.hosts.map((name) => hosts.host(name).change(action, script)));
}
