import { certificateLines, GIVEN_SECRET, hostAndPort } from "../existing";
import type { PlannedDcs } from "../planned";
import { identityOf, localAgent } from "./local";
import { optionsOf } from "./request";

/** Patroni's, where Consul is pgherd's. */
const OWN_TOKEN = { role: "consul", name: "consul-patroni" } as const;

/** What files on the hosts say of Consul. Its settings are in `src/plan/consul.ts`. */
export const consulPlanned: PlannedDcs = {
  kind: "consul",
  given: { header: "consul/given-header" },
  // From the first version that has it (docs/releases.rst, 3.0.0).
  failsafeSince: "3.0.0",
  forgetsVoters: true,
  patroniSecret({ identity }) {
    const place = { block: "consul", setting: "token" };
    if (!identity) return { ...place, secret: OWN_TOKEN, uuid: true };
    return identity.anonymous ? undefined : { ...place, secret: GIVEN_SECRET, uuid: false };
  },
  // One host and no list: the agent forwards to whoever leads (docs/yaml_configuration.rst).
  patroniSettings(dcs) {
    const agent = localAgent(dcs);
    return [
      "consul:",
      `  host: ${JSON.stringify(hostAndPort(agent).join(":"))}`,
      // What it registers is checked by the agent, and gone when it does not come back (patroni/dcs/consul.py, `_update_service`).
      ...(dcs.registers ? ["  register_service: true"] : []),
      ...(agent.startsWith("https:") ? ["  scheme: https", "  verify: true"] : []),
      ...certificateLines(dcs),
    ].join("\n");
  },
  readAtStart: ({ endpoints }) => endpoints.join(" "),
  script(place) {
    const agent = localAgent(place);
    const [option, file] = optionsOf(identityOf(place));
    return {
      kind: "consul",
      endpoints: agent,
      // No key is an answer too, and no leader is none.
      begin: `consul() {
  answer=$(curl -sS --connect-timeout 2 --max-time 9 ${option} '${file}' -w '\\n%{http_code}' "$@" 2>/dev/null) || return 1 # it is asked again
  case $answer in
    *'
200' | *'
404') printf '%s\\n' "$answer" ;;
    *) return 1 ;;
  esac
}`,
      read: `consul "${agent}/v1/kv/\${key#/}?consistent"`,
      empty: `*'"Value":null'*`,
      revision: `sed -n 's/.*"ModifyIndex":\\([0-9]*\\).*/\\1/p'`,
      release: `consul -X DELETE "${agent}/v1/kv/\${key#/}?cas=$revision" >/dev/null`,
    };
  },
};
