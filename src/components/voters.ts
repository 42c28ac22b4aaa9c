import type * as pulumi from "@pulumi/pulumi";
import { formerUrls } from "../plan/dcs";
import { planCrossing } from "../plan/firewall";
import type { Crossing } from "../resources/inputs/firewall";
import { FormerVoters } from "../resources/resources";
import { namedKind } from "../roles/dcs";
import type { Context } from "./context";
import type { Motion } from "./membership";

// Who comes to vote in the DCS of a running cluster, and who votes there no more.

/** Where the DCS is for a host without data, where who votes has ever changed: it comes to one that runs, and begins none. */
export async function joinsOf(
  { plan, settings }: Context,
  motion: Promise<Motion>,
  host: string,
): Promise<{ readonly [host: string]: string } | undefined> {
  const { voters } = await motion;
  if (!voters || !Object.hasOwn(plan.dcs.members, host)) return undefined;
  const others = Object.entries(plan.dcs.members).filter(([name]) => name !== host);
  return { ...Object.fromEntries(others), ...formerUrls(settings, voters.former) };
}

/** Who voted before; nothing where nobody did. */
export async function formerOf({ settings }: Context, motion: Promise<Motion>) {
  const { former = {} } = (await motion).voters ?? {};
  const urls = formerUrls(settings, former);
  return Object.keys(urls).length === 0 ? undefined : urls;
}

/** What each host lets in until they are gone; nothing where nobody was there. */
export async function crossingsOf(
  context: Context,
  motion: Promise<Motion>,
): Promise<{ readonly [host: string]: Crossing }> {
  const former = await formerOf(context, motion);
  if (!former) return {};
  const rules = planCrossing(context.settings, (await motion).voters?.former ?? {});
  const { kind, members } = context.plan.dcs;
  return Object.fromEntries(
    Object.entries(rules).map(([host, one]) => [
      host,
      { ...namedKind(kind), members, former, rules: one },
    ]),
  );
}

/** Their end: once all members know where the DCS is. */
export async function farewell(
  context: Context,
  motion: Promise<Motion>,
  crossings: ReturnType<typeof crossingsOf>,
  dependsOn: pulumi.Resource[],
): Promise<pulumi.Resource[]> {
  const former = await formerOf(context, motion);
  if (!former) return dependsOn;
  const { prefix, cluster, plan, child } = context;
  const { kind, members } = plan.dcs;
  const rules = Object.fromEntries(plan.firewalls.map((one) => [one.host, one.rules]));
  const crossing = Object.fromEntries(
    Object.entries(await crossings).map(([host, one]) => [host, one.rules]),
  );
  return [
    ...dependsOn,
    new FormerVoters(
      `${prefix}-former-voters`,
      {
        cluster,
        ...namedKind(kind),
        members,
        former,
        patroni: plan.patroni.members,
        rules,
        crossing,
        voting: [],
        open: [],
      },
      { ...child, dependsOn },
    ),
  ];
}
