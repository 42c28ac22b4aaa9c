import { hereDocument, words } from "../../host/shell";
import { AGENT_SECRETS_FILE } from "../../roles/consul";
import type { DcsPlace, DcsSecrets, FormerToken } from "../dcs";
import { isTokenBody, localAgent, MANAGEMENT, MANAGEMENT_FILE, tokenHeader } from "./local";
import { idIn, page, tellOnly, told } from "./request";

/** What pgherd calls the token that may do everything, and what Consul does that makes the first of them from its settings. */
const OWN_NAME = "pgherd-management";
const MANAGEMENT_NAMES = [OWN_NAME, "Master Token", "Initial Management Token"];

/** The policy of all rights, which every Consul has: https://developer.hashicorp.com/consul/docs/security/acl/acl-policies */
const ALL_RIGHTS = "00000000-0000-0000-0000-000000000001";

/** As a file of a server has it, whose policy is called as it is. */
interface NewToken {
  readonly SecretID: string;
  readonly Description: string;
}

/** https://developer.hashicorp.com/consul/api-docs/acl/tokens#list-tokens */
interface ListedToken {
  readonly AccessorID: string;
  readonly Description?: string;
}

/**
 * New tokens and another key of Consul's gossip, in use beside the old ones. Consul can change no token's secret, so a new one is
 * another token. The key is kept in memory only (`disable_keyring_file`): who restarts has the one of his settings alone.
 */
export function secretsAt(place: DcsPlace): DcsSecrets {
  const api = `${localAgent(place)}/v1`;
  const send = (method: string, path: string, body: string) =>
    `answer=$({ cat ${hereDocument(`${body}\n`)}
} | ${page(MANAGEMENT_FILE, `${api}${path}`, "-X", method, "--data-binary", "@-")})`;
  return {
    isShared: (path) =>
      isTokenBody(path) || path === MANAGEMENT_FILE || path === AGENT_SECRETS_FILE,

    take(files) {
      const tokens = Object.entries(files).flatMap(([path, content]) => {
        if (path === MANAGEMENT_FILE) return [managementToken(content)];
        return isTokenBody(path) ? [JSON.parse(content) as NewToken] : [];
      });
      const settings = files[AGENT_SECRETS_FILE];
      const key = settings && (JSON.parse(settings) as { encrypt: string }).encrypt;
      return [
        `code=$(${page(MANAGEMENT_FILE, `${api}/acl/token/self`)} | tail -n 1)`,
        `if [ "$code" != 200 ]; then echo unknown; exit; fi`,
        `took() {
  case $answer in *'
200') return ;; esac
  printf 'expected Consul to take %s, got: %s\\n' "$1" "$answer" >&2
  return 1
}`,
        ...tokens.map(
          (token) => `code=$({ cat ${hereDocument(`X-Consul-Token: ${token.SecretID}\n`)}
} | ${page("-", `${api}/acl/token/self`)} | tail -n 1)
if [ "$code" != 200 ]; then
  ${send("PUT", "/acl/token", JSON.stringify(token))}
  # One of a name that is new: what it may is written later.
  case $answer in *"No such ACL policy"*)
    ${send("PUT", "/acl/policy", JSON.stringify({ Name: token.Description, Rules: "" }))}
    took "a new policy"
    ${send("PUT", "/acl/token", JSON.stringify(token))} ;;
  esac
  took "a new token"
fi`,
        ),
        // All that are there answer for it: first they take the key from others, then they use it.
        ...(key === undefined
          ? []
          : ["POST", "PUT"].map(
              (method) => `for again in 1 2 3 4 ''; do
  ${send(method, "/operator/keyring", JSON.stringify({ Key: key }))}
  if took "the gossip's key" 2>/dev/null; then break; fi # it is asked again
  if [ -z "$again" ]; then took "the gossip's key"; fi
  sleep 3
done`,
            )),
        "echo taken",
      ].join("\n");
    },

    formerProbe: (names) => ({
      script: [
        tellOnly,
        `${page(MANAGEMENT_FILE, `${api}/acl/tokens`)} | told tokens`,
        ...names.map(
          (name) =>
            `${page(tokenHeader(name), `${api}/acl/token/self`)} | told ${words([`token:${name}`])}`,
        ),
      ].join("\n"),
      parse(output) {
        const answered = told(output);
        const [listed] = answered.get("tokens") ?? [];
        const present = names.map((name) => answered.get(`token:${name}`)?.[0]);
        // Which are those of before is not known without all that are not.
        if (listed === undefined || present.includes(undefined)) return undefined;
        const ids = present.map((one) => (one as ListedToken).AccessorID);
        return (listed as ListedToken[]).flatMap(({ AccessorID, Description }): FormerToken[] => {
          const name = names.find((one) =>
            one === MANAGEMENT ? MANAGEMENT_NAMES.includes(Description ?? "") : Description === one,
          );
          return name === undefined || ids.includes(AccessorID)
            ? []
            : [{ name, id: idIn(AccessorID) ?? "" }];
        });
      },
    }),

    drop: (former) =>
      former
        .map(
          ({ id }) => `answer=$(${page(MANAGEMENT_FILE, `${api}/acl/token/${id}`, "-X", "DELETE")})
case $answer in *'
200') ;; *) printf 'expected Consul to delete token ${id}, got: %s\\n' "$answer" >&2; exit 1 ;; esac`,
        )
        .join("\n"),
  };
}

/** @param header as curl takes it. */
function managementToken(header: string) {
  return {
    SecretID: header.replace(/^X-Consul-Token: /, "").trim(),
    Description: OWN_NAME,
    Policies: [{ ID: ALL_RIGHTS }],
  };
}
