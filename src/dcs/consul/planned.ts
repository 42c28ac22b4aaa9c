import { accessFiles, GIVEN_SECRET, hostAndPort } from "../existing";
import type { PlannedDcs } from "../planned";
import { identityOf, localAgent } from "./local";

/** Patroni's, where Consul is pgherd's. */
const OWN_TOKEN = { role: "consul", name: "consul-patroni" } as const;

/** What files on the hosts say of Consul. Its settings are in `src/plan/consul.ts`. */
export const consulPlanned: PlannedDcs = {
  kind: "consul",
  given: { header: "consul/given-header" },
  // From the first version that has it (docs/releases.rst, 3.0.0).
  failsafeSince: "3.0.0",
  patroniSecret({ identity }) {
    const place = { block: "consul", setting: "token" };
    if (!identity) return { ...place, secret: OWN_TOKEN, uuid: true };
    return identity.anonymous ? undefined : { ...place, secret: GIVEN_SECRET, uuid: false };
  },
  // One host and no list: the agent forwards to whoever leads (docs/yaml_configuration.rst).
  patroniSettings(place) {
    const agent = localAgent(place);
    const { ca, certificate } = place.identity ?? {};
    const files = accessFiles(place.existing?.access);
    const setting = (name: string, value: string) => `  ${name}: ${JSON.stringify(value)}`;
    return [
      "consul:",
      setting("host", hostAndPort(agent).join(":")),
      // What it registers is checked by the agent, and gone when it does not come back (patroni/dcs/consul.py, `_update_service`).
      ...(place.registers ? ["  register_service: true"] : []),
      ...(agent.startsWith("https:") ? ["  scheme: https", "  verify: true"] : []),
      ...(ca ? [setting("cacert", files.ca)] : []),
      ...(certificate ? [setting("cert", files.certificate), setting("key", files.key)] : []),
    ].join("\n");
  },
  readAtStart: ({ endpoints, identity }) =>
    [...endpoints, identity?.ca && "with a ca", identity?.certificate && "with a certificate"]
      .filter(Boolean)
      .join(" "),
  script: (place) => ({
    kind: "consul",
    endpoints: localAgent(place),
    // No key is an answer too, and no leader is none.
    begin: `consul() {
  answer=$(curl -sS --connect-timeout 2 --max-time 9 ${place.existing ? "-K" : "-H"} '${place.existing ? "" : "@"}${identityOf(place)}' -w '\\n%{http_code}' "$@" 2>/dev/null) || return 1 # it is asked again
  case $answer in
    *'
200' | *'
404') printf '%s\\n' "$answer" ;;
    *) return 1 ;;
  esac
}`,
    read: `consul "${localAgent(place)}/v1/kv/\${key#/}?consistent"`,
    empty: `*'"Value":null'*`,
    revision: `sed -n 's/.*"ModifyIndex":\\([0-9]*\\).*/\\1/p'`,
    release: `consul -X DELETE "${localAgent(place)}/v1/kv/\${key#/}?cas=$revision" >/dev/null`,
  }),
};
