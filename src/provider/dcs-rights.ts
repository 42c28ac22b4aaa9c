import { type Dcs, dcsOf, type Right } from "../dcs/dcs";
import type { Host } from "../host/host";
import { waitFor } from "../operations/wait";
import type { DcsAccessInput, DcsClusterInputs } from "../resources/inputs/dcs-cluster";
import type { Context } from "./context";

/** A token that an agent has not heard of is asked for again after half a minute (Consul's `acl.token_ttl`). */
const KNOWN_SECONDS = 90;

/**
 * Gives each name in a DCS the rights that it must have, and waits until the agents on all hosts let pgherd's own token in:
 * whatever comes next asks them.
 */
export async function grantRights(
  context: Context,
  urn: string,
  inputs: DcsClusterInputs,
): Promise<void> {
  const { access } = inputs;
  const { kind, rights, agentProbe, unit } = dcsOf(inputs);
  if (!access || !rights || !agentProbe) return;
  const [via = ""] = Object.keys(inputs.members);
  const host = context.host(via);
  const names = Object.keys(access.rights);
  const progress = (message: string) => context.progress(urn, message);
  const next = `journalctl -u ${unit} -n 50`;
  const found = await waitFor<{ readonly [name: string]: Right }>(
    async () => {
      const known = await host.observe(rights.probe(names));
      return known ? { done: known } : { missing: "it tells nobody its policies yet" };
    },
    {
      expected: `${kind} on ${via} to take the management token`,
      next: `${next} there. A leader takes it into its list when it begins to lead: if it was deleted there, restart ${unit} where it leads.`,
      ...{ seconds: KNOWN_SECONDS, progress },
    },
  );
  for (const [name, rules] of Object.entries(access.rights)) {
    const right = found[name] ?? { given: false };
    if (isHeld(right, rules)) continue;
    progress(`giving ${name} its rights in ${kind}`);
    await host.change(`giving ${name} its rights in ${kind}`, rights.grant(name, rules, right));
  }
  await waitFor(
    async () => {
      const told = await Promise.all(
        access.agents.map(async (name): Promise<[string, boolean]> => [
          name,
          (await context.host(name).observe(agentProbe())) === "serving",
        ]),
      );
      const others = told.filter(([, known]) => !known).map(([name]) => name);
      return others.length === 0 ? { done: true } : { missing: `${others.join(", ")} not yet` };
    },
    {
      expected: `the agents of ${kind} to let pgherd in on ${access.agents.join(", ")}`,
      seconds: KNOWN_SECONDS,
      next: `${next} on the hosts named; can they reach the servers of ${kind}?`,
      progress,
    },
  );
}

/** Who may do what as it is: without rights that are missing, and where a token has none; and without tokens that nobody knows. */
export async function heldAccess(
  host: Host,
  dcs: Dcs,
  access: DcsAccessInput,
): Promise<DcsAccessInput> {
  if (!dcs.rights) return access;
  const found = await host.observe(dcs.rights.probe(Object.keys(access.rights)));
  const rights = Object.entries(found ?? {}).flatMap(([name, right]) =>
    right.token !== undefined && right.given && right.rules !== undefined
      ? [[name, right.rules]]
      : [],
  );
  // The one that tells of all the others has no rights of its own here.
  const isKnown = (name: string) =>
    found !== undefined && (!Object.hasOwn(found, name) || found[name]?.token !== undefined);
  return {
    ...access,
    rights: Object.fromEntries(rights) as { [name: string]: string },
    ...(access.tokens && {
      tokens: Object.fromEntries(Object.entries(access.tokens).filter(([name]) => isKnown(name))),
    }),
  };
}

function isHeld({ rules, token, given }: Right, wanted: string): boolean {
  return token !== undefined && given && rules === wanted;
}
