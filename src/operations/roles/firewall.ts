import { FIREWALL_UNIT, firewallProbe, type FirewallState } from "../../facts/firewall";
import type { RoleHealth } from "./role-health";

export interface FirewallAnswer {
  readonly firewall?: FirewallState;
}

const LOAD_IT = `Load them: systemctl restart ${FIREWALL_UNIT} on it, or pulumi up.`;

/** The rules of hosts that have some. The daemons, which go on as before, do not tell that they are gone. */
export const firewallHealth: RoleHealth<FirewallAnswer> = {
  roles: ["firewall"],
  hosts: ({ firewalls }) => firewalls.map(({ host }) => host),
  questions: ({ firewalls }, name) =>
    firewalls.some(({ host }) => host === name) ? { firewall: firewallProbe() } : {},
  state: () => ({}),

  clusterProblems: (_plan, answers) =>
    answers.flatMap(({ host, firewall }) => {
      if (!firewall) return [];
      const { loaded, enabled } = firewall;
      if (loaded === "absent") {
        return `${host}: the firewall's rules are not loaded: whoever reaches the host reaches its ports. ${LOAD_IT}`;
      }
      if (loaded === "changed") {
        return `${host}: the firewall's rules are not those that pgherd has loaded. ${LOAD_IT}`;
      }
      if (enabled === "enabled") return [];
      return `${host}: the firewall's rules will not be loaded when it starts again (${FIREWALL_UNIT} is ${enabled}). Enable it by pulumi up.`;
    }),
};
