import * as pulumi from "@pulumi/pulumi";
import type { FirewallPlan } from "../plan/types";
import type { Crossing } from "../resources/inputs/firewall";
import type { TrialInput } from "../resources/inputs/preflight";
import { Firewall, HostBase, NewPorts } from "../resources/resources";
import type { Context, Found } from "./context";

/** A firewall as it must be. */
const LOADED = { loaded: "active", enabled: "enabled" };

/** What the hosts are before any service: prepared, and behind their firewalls. */
export interface Hosts {
  /** What must be there before a service is set up on a host. */
  readonly on: (host: string) => pulumi.Resource[];
  readonly all: readonly pulumi.Resource[];
}

export function prepareHosts(
  context: Context,
  found: Found,
  dependsOn: pulumi.CustomResourceOptions["dependsOn"],
  crossings: Promise<{ readonly [host: string]: Crossing }>,
): Hosts {
  const { prefix, cluster, plan, child } = context;
  const bases = new Map(
    plan.hosts.map((host) => [
      host.host,
      new HostBase(
        `${prefix}-${host.host}`,
        { cluster, ...host, trial: trialOn(context, host.host) },
        { ...child, dependsOn },
      ),
    ]),
  );
  const firewalls = new Map(
    plan.firewalls.map((one) => {
      const base = [bases.get(one.host) as HostBase];
      const made = one.beginning
        ? newPorts(context, found, one, base)
        : firewall(
            context,
            found,
            one,
            base,
            crossings.then((all) => all[one.host]),
          );
      return [one.host, made];
    }),
  );
  return {
    on: (host) => [firewalls.get(host) ?? (bases.get(host) as HostBase)],
    all: [...bases.values(), ...firewalls.values()],
  };
}

/** That of a server that is migrated is tried with all that it has. */
function trialOn({ plan }: Context, host: string): TrialInput | null {
  const { patroni, migration, standby, preflight } = plan;
  const member = Object.hasOwn(patroni.members, host) && host !== migration?.cutOver.host;
  if (!member || !preflight.trial) return null;
  const dataComes = standby ?? migration ?? preflight.bootstrap;
  return { ...preflight.trial, ...(dataComes && { dataComes: true }) };
}

export function firewall(
  context: Context,
  found: Found,
  one: FirewallPlan,
  dependsOn: pulumi.Resource[],
  crossing?: Promise<Crossing | undefined>,
): Firewall {
  return new Firewall(
    `${context.prefix}-${one.host}-firewall`,
    { ...rulesOf(context, found, one), crossing },
    { ...context.child, dependsOn },
  );
}

/** Clients of a server that is migrated still come in where its firewall will let none in. */
function newPorts(
  context: Context,
  found: Found,
  one: FirewallPlan,
  dependsOn: pulumi.Resource[],
): NewPorts {
  return new NewPorts(
    `${context.prefix}-${one.host}-new-ports`,
    { ...rulesOf(context, found, one), beginning: one.beginning ?? "" },
    { ...context.child, dependsOn },
  );
}

/** Of a server that is migrated, servers beside it are let alone. */
function rulesOf({ cluster }: Context, { migrated }: Found, plan: FirewallPlan) {
  const { host, beginning, rules } = plan;
  const known = beginning
    ? (migrated?.apply(({ rules: others }) => others[host] ?? rules) ?? rules)
    : rules;
  return { cluster, host, beginning, rules: known, ...LOADED };
}
