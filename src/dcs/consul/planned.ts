import type { PlannedDcs } from "../planned";
import { localAgent, TOKEN_FILE } from "./local";

/** What files on the hosts say of Consul. Its settings are in `src/plan/consul.ts`. */
export const consulPlanned: PlannedDcs = {
  kind: "consul",
  // From the first version that has it (docs/releases.rst, 3.0.0).
  failsafeSince: "3.0.0",
  patroniToken: { block: "consul", secret: { role: "consul", name: "consul-patroni" } },
  // One host and no list: the agent forwards to whoever leads (docs/yaml_configuration.rst).
  // What it registers is checked by the agent, and gone when it does not come back (patroni/dcs/consul.py, `_update_service`).
  patroniSettings: (endpoints, registers = false) =>
    [
      "consul:",
      `  host: ${JSON.stringify(new URL(localAgent(endpoints)).host)}`,
      ...(registers ? ["  register_service: true"] : []),
    ].join("\n"),
  script: (endpoints) => ({
    kind: "consul",
    endpoints: localAgent(endpoints),
    // No key is an answer too, and no leader is none.
    begin: `consul() {
  answer=$(curl -sS --connect-timeout 2 --max-time 9 -H '@${TOKEN_FILE}' -w '\\n%{http_code}' "$@" 2>/dev/null) || return 1 # it is asked again
  case $answer in
    *'
200' | *'
404') printf '%s\\n' "$answer" ;;
    *) return 1 ;;
  esac
}`,
    read: `consul "${localAgent(endpoints)}/v1/kv/\${key#/}?consistent"`,
    empty: `*'"Value":null'*`,
    revision: `sed -n 's/.*"ModifyIndex":\\([0-9]*\\).*/\\1/p'`,
    release: `consul -X DELETE "${localAgent(endpoints)}/v1/kv/\${key#/}?cas=$revision" >/dev/null`,
  }),
};
