import type { Probe } from "../../host/host";
import type { AgentCondition, DcsPlace } from "../dcs";
import { localAgent, TOKEN_FILE } from "./local";
import { page } from "./request";

/** How the agent of a host does, by a page that it has from a server only. */
export function agentProbe(place: DcsPlace): Probe<AgentCondition> {
  return {
    script: `${page(TOKEN_FILE, `${localAgent(place)}/v1/acl/token/self`)} | tail -n 1`,
    parse(output) {
      const code = output.trim();
      if (code === "200") return "serving";
      if (code === "403") return "refused";
      // curl has no code where nobody answered.
      return /^[1-9]\d\d$/.test(code) ? "cut off" : "away";
    },
  };
}
