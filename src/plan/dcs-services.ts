import type { Settings } from "../config/schema";
import { planConsulAccess, planConsulServices } from "./consul";
import { planEtcdServices } from "./etcd";
import type { DcsAccessPlan, ServicePlan } from "./types";

/** The daemons of the DCS on their hosts, whatever its kind is. */
export function planDcsServices(settings: Settings): ServicePlan[] {
  return [...planEtcdServices(settings), ...planConsulServices(settings)];
}

/** Who may do what in the DCS; nothing where it asks nobody who he is. */
export function planDcsAccess(settings: Settings): DcsAccessPlan | undefined {
  return planConsulAccess(settings);
}
