import type { Dcs, DcsPlace } from "../dcs";
import { agentProbe } from "./agent";
import { forgettingAt } from "./autopilot";
import { keysAt } from "./keys";
import { membersAt } from "./members";
import { rightsAt } from "./rights";
import { secretsAt } from "./secrets";
import { standingAt } from "./standing";

/**
 * Consul, by the agent of the host that is asked.
 * @param endpoints of its servers, with the port at which each host has its own agent: `["http://10.89.0.11:8500"]`.
 */
export function consulAt(place: DcsPlace): Dcs {
  return {
    kind: "consul",
    byOwnAgent: true,
    ...keysAt(place),
    ...membersAt(place),
    ...(!place.existing && {
      agentProbe: () => agentProbe(place),
      forgetting: forgettingAt(place),
      rights: rightsAt(place),
      secrets: secretsAt(place),
    }),
    ...standingAt(place),
  };
}
