import type { Settings } from "../config/schema";
import { plannedDcs } from "../dcs/planned";
import type { DcsKind } from "../roles/dcs";
import { planConsulAccess, planConsulServices } from "./consul";
import { planDcs, planFormerDcs } from "./dcs";
import { planEtcdServices } from "./etcd";
import type { DcsAccessPlan, OwnDcsPlan, ServicePlan } from "./types";

/** The daemons of the DCS on their hosts, whatever its kind is. */
export function planDcsServices(settings: Settings): ServicePlan[] {
  return [...planEtcdServices(settings), ...planConsulServices(settings)];
}

const ACCESS: { readonly [kind in DcsKind]?: (settings: Settings) => DcsAccessPlan | undefined } = {
  consul: planConsulAccess,
};

/** Each DCS that pgherd deploys, the cluster's first. */
export function planOwnDcs(settings: Settings): OwnDcsPlan[] {
  return [planDcs(settings), planFormerDcs(settings) ?? []]
    .flat()
    .filter(({ existing }) => !existing)
    .map(({ kind, members }) => ({
      kind,
      members,
      access: ACCESS[kind]?.(settings),
      keepsVoters: plannedDcs(kind).forgetsVoters,
    }));
}
