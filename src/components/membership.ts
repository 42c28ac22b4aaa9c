import * as pulumi from "@pulumi/pulumi";
import { dcsAddress, firstToAsk } from "../plan/dcs";
import type { HostsFacts, PreflightInputs } from "../resources/inputs/preflight";
import { Departure, type Preflight } from "../resources/resources";
import { restApiAt } from "../roles/patroni";
import type { Context } from "./context";
import { balancersOf } from "./database";
import type { Needs } from "./daemon";

/** Who comes to a running cluster and who leaves it; nobody in most runs. */
export type Motion = Pick<HostsFacts, "joining" | "leaving" | "voters">;

/**
 * What the preflight has found of it; nobody in a preview that knows nothing of the hosts yet.
 * @param planned what the stack says now.
 * @throws RunError if the preflight has found it for other members, as it has where a run leaves it out.
 */
export function motionOf(
  { facts, fixed }: Preflight,
  planned: PreflightInputs["fixed"],
): Promise<Motion> {
  const found = pulumi.all([facts, fixed]);
  return new Promise((resolve, reject) => {
    found.apply(([motion, recorded]) => {
      const changed = ["members", "dcs.members"].find(
        (list) => !sameNames(recorded[list], planned[list]),
      );
      if (changed === undefined) resolve(motion);
      else reject(new pulumi.RunError(CHANGED(changed, recorded[changed], planned[changed])));
    });
    void (found as unknown as { readonly isKnown: Promise<boolean> }).isKnown.then((known) => {
      if (!known) resolve({});
    });
  });
}

function sameNames(one = "", other = ""): boolean {
  const [a, b] = [one, other].map((list) => list.split(", ").sort().join());
  return a === b;
}

const CHANGED = (list: string, before = "", now = "") =>
  `pgherd:cluster.${list}: expected ${before}, as in the last run, got ${now}: members have changed, and this run does not look at the hosts. Run pulumi up without --target first.`;

/** What comes before the hosts, and after it that those have left who are members no more: the others then shut them out. */
export async function departed(
  { prefix, cluster, plan, child }: Context,
  motion: Promise<Motion>,
  needs: pulumi.Resource[],
): Promise<pulumi.Resource[]> {
  const { leaving, joining = [], voters } = await motion;
  if (!leaving) return needs;
  const { members, port, neverLead, synchronous, rolling } = plan.patroni;
  const inputs = {
    ...{ cluster, joining, members, port, neverLead, synchronous, rolling },
    leaving: Object.fromEntries(
      Object.entries(leaving).map(([name, address]) => [name, restApiAt(address)]),
    ),
    balancers: balancersOf(plan),
    dcs: { host: firstToAsk(plan, voters?.joining), ...dcsAddress(plan.dcs) },
  };
  return [...needs, new Departure(`${prefix}-departure`, inputs, { ...child, dependsOn: needs })];
}

/**
 * What a daemon needs on a host, and more on one whose member joins: nobody starts before all others let it in, and before
 * HAProxy knows it, since it may come to lead as soon as it streams.
 * @param others those that all others must have.
 */
export function afterOthers(
  motion: Promise<Motion>,
  needs: (host: string) => pulumi.Resource[],
  others: () => pulumi.Resource[] | Promise<pulumi.Resource[]>,
): Needs {
  return async (host, made) => {
    const { joining = [] } = await motion;
    if (!joining.includes(host)) return needs(host);
    const standing = Object.entries(made).flatMap(([name, one]) =>
      joining.includes(name) ? [] : [one],
    );
    return [...new Set([...needs(host), ...(await others()), ...standing])];
  };
}
