import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { dcsAddress, firstToAsk } from "../plan/dcs";
import type { ClusterPlan, MigratedPlan } from "../plan/types";
import { PatroniCluster, type Preflight, UpdateReport } from "../resources/resources";
import { carriedRules, type Configuration, type Context, type Found } from "./context";
import type { Passwords, SecretOf } from "./passwords";

/** The leader with its replicas, roles and databases, once Patroni runs on the members. */
export function database(
  context: Context,
  { source, migrated }: Found,
  passwords: { readonly secretOf: SecretOf; readonly users: Passwords["users"] },
  configuration: pulumi.Output<Configuration>,
  dependsOn: Promise<pulumi.Resource[]>,
): PatroniCluster {
  const { prefix, plan, child } = context;
  const { patroni } = plan;
  const { secretOf, users } = passwords;
  return new PatroniCluster(
    `${prefix}-patroni-cluster`,
    {
      ...membersInputs(context, configuration),
      dcs: {
        host: firstToAsk(plan),
        ...dcsAddress(plan.dcs),
      },
      firstStartSeconds: patroni.firstStartSeconds,
      synchronous: patroni.synchronous,
      filesHash: pulumi.output(migrated).apply((known) => hashOf(plan, known?.files)),
      unloaded: [],
      move: plan.move,
      // Later the cluster's rules are its own.
      ...(source && { carried: source.apply(carriedRules) }),
      balancers: balancersOf(plan),
      // Each an output of its own, so that a new one leaves the others known in a preview.
      passwords: {
        ...Object.fromEntries(
          Object.entries(patroni.passwords).map(([role, secret]) => [role, secretOf(secret)]),
        ),
        ...users,
      },
    },
    { ...child, dependsOn },
  );
}

/** Where members are drained. */
export function balancersOf({ entryPoint }: ClusterPlan) {
  return {
    hosts: entryPoint?.hosts ?? [],
    entrances: ["replica", "synchronous", "asynchronous"],
    statsPort: entryPoint?.statsPort ?? 0,
  };
}

/**
 * The preflight, once it has been told what becomes of the members. Nothing depends on that report: `--target` of one host
 * works for a stack whose state knows of none yet.
 */
export function reported(
  context: Context,
  checked: Preflight,
  configuration: pulumi.Output<Configuration>,
): Promise<pulumi.Resource[]> {
  const report = new UpdateReport(
    `${context.prefix}-report`,
    membersInputs(context, configuration),
    { ...context.child, dependsOn: checked },
  );
  return new Promise((resolve) => report.urn.apply(() => resolve([checked])));
}

/** What of the database tells what becomes of its members. */
function membersInputs({ cluster, plan }: Context, configuration: pulumi.Output<Configuration>) {
  const { members, port, neverLead, leaderStays, rolling, roles, databases } = plan.patroni;
  return {
    ...{ cluster, members, port, configuration, pendingRestart: [] },
    ...{ neverLead, leaderStays, rolling, roles, databases },
  };
}

/** Of the files of all members. */
function hashOf({ services }: ClusterPlan, migrated: MigratedPlan["files"] = {}): string {
  const files = services
    .filter(({ daemon }) => daemon === "patroni")
    .map(({ host, files }) => [host, migrated[host] ?? files]);
  return createHash("sha256").update(JSON.stringify(files)).digest("hex");
}
