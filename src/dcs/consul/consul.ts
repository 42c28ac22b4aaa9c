import type { Dcs } from "../dcs";
import { agentProbe } from "./agent";
import { keysAt } from "./keys";
import { membersAt } from "./members";
import { rightsAt } from "./rights";
import { secretsAt } from "./secrets";

/**
 * Consul, by the agent of the host that is asked.
 * @param endpoints of its servers, with the port at which each host has its own agent: `["http://10.89.0.11:8500"]`.
 */
export function consulAt(endpoints: readonly string[]): Dcs {
  return {
    kind: "consul",
    byOwnAgent: true,
    agentProbe: () => agentProbe(endpoints),
    ...keysAt(endpoints),
    ...membersAt(endpoints),
    rights: rightsAt(endpoints),
    secrets: secretsAt(endpoints),
  };
}
