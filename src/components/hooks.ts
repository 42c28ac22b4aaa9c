import { createHash } from "node:crypto";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/schema";
import type { ClusterPlan, PatroniPlan } from "../plan/types";
import type { Context } from "./context";

/**
 * The user's own commands, before or after the cluster is changed, or when clients have to move. They run when the
 * cluster is made and again whenever what the stack says of it changes; a run that changes nothing runs none of them.
 */
export function hooks(
  when: "before" | "after" | "cutOver",
  { prefix, settings, plan, components: { parent } }: Context,
  dependsOn: pulumi.CustomResourceOptions["dependsOn"],
): pulumi.Resource[] {
  const { hosts, ssh, cluster } = settings;
  const opts = { parent, dependsOn };
  const triggers = [triggerOf(settings, plan)];
  return cluster.hooks
    .filter((hook) => hook.when === when)
    .map((hook) => {
      const name = `${prefix}-hook-${hook.name}`;
      const host = hosts[hook.on];
      if (!host) return new command.local.Command(name, { create: hook.run, triggers }, opts);
      // The agent's socket is left to the plugin's default: its path changes with every login.
      const connection = {
        host: host.address,
        port: host.port ?? ssh.port ?? 22,
        user: host.user ?? ssh.user,
        hostKey: host.hostKey,
      };
      return new command.remote.Command(name, { connection, create: hook.run, triggers }, opts);
    });
}

/** What of the cluster a hook runs anew for. The plan alone does not tell: a part of it is made once the hosts are known. */
export function triggerOf({ cluster }: Settings, plan: ClusterPlan): string {
  return createHash("sha256")
    .update(JSON.stringify([cluster, asBefore(plan)]))
    .digest("hex");
}

/**
 * With the names that parts of the plan had in earlier versions, and without what only follows from the settings: no hook
 * runs anew for another form of the plan.
 */
function asBefore(plan: ClusterPlan): object {
  const services = plan.services.map((service) => ({ ...service, secretFiles: undefined }));
  const former: { readonly [part: string]: [string, unknown] } = {
    dcs: ["etcd", { members: plan.dcs.members }],
    ownDcs: ["access", plan.ownDcs[0]?.access],
    patroni: ["patroni", patroniAsBefore(plan.patroni)],
  };
  return Object.fromEntries(
    Object.entries({ ...plan, services, secrets: undefined, steps: undefined }).map(
      ([name, part]: [string, unknown]) => former[name] ?? [name, part],
    ),
  );
}

function patroniAsBefore(patroni: PatroniPlan): object {
  const own = Object.entries(patroni.passwords).filter(([, { role }]) => role === "patroni");
  const internalRoles = Object.fromEntries(own.map(([login, { name }]) => [name, login]));
  return Object.fromEntries(
    Object.entries(patroni).map(([name, part]: [string, unknown]) =>
      name === "passwords" ? ["internalRoles", internalRoles] : [name, part],
    ),
  );
}
