import type { Settings } from "../config/schema";
import type { DcsAccessInput } from "../resources/inputs/dcs-cluster";
import { planConsulAccess, planConsulServices } from "./consul";
import { planEtcdServices } from "./etcd";
import type { ServicePlan } from "./types";

/** The daemons of the DCS on their hosts, whatever its kind is. */
export function planDcsServices(settings: Settings): ServicePlan[] {
  return [...planEtcdServices(settings), ...planConsulServices(settings)];
}

/** Who may do what in the DCS; nothing where it asks nobody who he is. */
export function planDcsAccess(settings: Settings): DcsAccessInput | undefined {
  return planConsulAccess(settings);
}
