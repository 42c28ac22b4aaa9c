import { addressesHeldProbe } from "../../facts/haproxy";
import type { RoleHealth } from "./role-health";

export interface KeepalivedAnswer {
  /** Virtual addresses that the host holds. */
  readonly vipsHeld?: readonly string[];
}

export interface KeepalivedState {
  /** Virtual addresses: `["10.89.0.100"]`. */
  readonly vips: readonly string[];
}

/** The virtual addresses, which exactly one load balancer has to hold. */
export const keepalivedHealth: RoleHealth<KeepalivedAnswer, KeepalivedState> = {
  roles: ["keepalived"],
  hosts: ({ entryPoint }) => entryPoint?.hosts ?? [],
  questions: ({ entryPoint }, host) =>
    entryPoint?.hosts.includes(host) ? { vipsHeld: addressesHeldProbe(entryPoint.vips) } : {},
  state: ({ entryPoint }) => ({ vips: entryPoint?.vips ?? [] }),

  clusterProblems: (_plan, _answers, { vips, loadBalancers }) => {
    if (vips.length === 0) return [];
    const holders = loadBalancers.filter(({ holdsVip }) => holdsVip).map(({ host }) => host);
    if (holders.length === 1) return [];
    if (holders.length === 0 && loadBalancers.some(({ unknown }) => unknown))
      return [`Who holds the virtual IP ${vips.join(", ")} is not known.`];
    return [`The virtual IP ${vips.join(", ")} is held by ${holders.join(" and ") || "nobody"}.`];
  },
};
