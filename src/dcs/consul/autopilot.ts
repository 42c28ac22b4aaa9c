import type { DcsForgetting, DcsPlace } from "../dcs";
import { jsonOf } from "../../facts/json";
import { localAgent, MANAGEMENT_FILE } from "./local";
import { page, request } from "./request";

/** https://developer.hashicorp.com/consul/api-docs/operator/autopilot#read-configuration */
interface Configuration {
  readonly CleanupDeadServers?: boolean;
}

/**
 * Whether Consul takes servers out that it has not heard of for about ten seconds (`CleanupDeadServers`, which it does unless it is
 * told not to). With a server goes its host's node, and with that all of its sessions (agent/consul/leader.go,
 * `handleDeregisterMember`): a primary that is cut off would lose its lease long before it has ended, while it still takes writes.
 */
export function forgettingAt(place: DcsPlace): DcsForgetting {
  const path = "/operator/autopilot/configuration";
  const url = `${localAgent(place)}/v1${path}`;
  return {
    probe: () => ({
      script: request(place, path),
      parse: (output) => (jsonOf(output) as Configuration).CleanupDeadServers !== false,
    }),
    // The whole document is written, unless somebody has changed it since.
    end: () => `answer=$(${page(MANAGEMENT_FILE, url)})
index=$(printf '%s' "$answer" | sed -n 's/.*"ModifyIndex": *\\([0-9][0-9]*\\).*/\\1/p' | head -n 1)
wanted=$(printf '%s\\n' "$answer" | sed '$d; s/"CleanupDeadServers": *true/"CleanupDeadServers":false/')
answer=$(printf '%s' "$wanted" | ${page(MANAGEMENT_FILE, `${url}?cas=\${index:-none}`, "-X", "PUT", "--data-binary", "@-")})
case $answer in true*'
200') exit ;; esac
printf 'expected Consul to keep servers that are away, got: %s\\n' "$answer" >&2
exit 1`,
  };
}
