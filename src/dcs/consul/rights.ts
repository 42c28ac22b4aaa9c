import { words } from "../../host/shell";
import type { DcsPlace, DcsRights, Right } from "../dcs";
import { localAgent, MANAGEMENT_FILE, tokenFiles } from "./local";
import { idIn, page, printed, tellOnly, told } from "./request";

/** https://developer.hashicorp.com/consul/api-docs/acl/policies */
interface Policy {
  readonly ID: string;
  readonly Name: string;
  readonly Rules: string;
}

/** https://developer.hashicorp.com/consul/api-docs/acl/tokens, without what is secret. */
interface Token {
  readonly AccessorID: string;
  readonly Policies?: readonly { readonly Name: string }[] | null;
  /** What else gives rights, by version. */
  readonly Roles?: readonly object[] | null;
  readonly ServiceIdentities?: readonly object[] | null;
  readonly NodeIdentities?: readonly object[] | null;
  readonly TemplatedPolicies?: readonly object[] | null;
}

/** Who may do what in Consul: a policy and a token for each name. All of it is asked and changed on a server. */
export function rightsAt(place: DcsPlace): DcsRights {
  const api = `${localAgent(place)}/v1/acl`;
  const put = (path: string, body: string) =>
    page(MANAGEMENT_FILE, `${api}${path}`, "-X", "PUT", "--data-binary", body);
  return {
    probe: (names) => ({
      script: [
        tellOnly,
        `policies=$(${page(MANAGEMENT_FILE, `${api}/policies`)})`,
        `printf '%s' "$policies" | told policies`,
        `for id in $(printf '%s' "$policies" | grep -o '"ID":"[0-9a-f-]*"' | cut -d '"' -f 4); do`,
        `  ${page(MANAGEMENT_FILE, `${api}/policy/$id`)} | told policy`,
        `done`,
        ...names.map(
          (name) =>
            `${page(tokenFiles(name).header, `${api}/token/self`)} | told ${words([`token:${name}`])}`,
        ),
      ].join("\n"),
      parse(output) {
        const answered = told(output);
        const of = <Page>(what: string) => (answered.get(what) ?? []) as readonly Page[];
        if (of("policies").length === 0) return undefined;
        const policies = new Map(of<Policy>("policy").map((one) => [one.Name, one]));
        return Object.fromEntries(
          names.map((name): [string, Right] => {
            const policy = policies.get(name);
            const [token] = of<Token>(`token:${name}`);
            const { Roles, ServiceIdentities, NodeIdentities, TemplatedPolicies } = token ?? {};
            const more = [Roles, ServiceIdentities, NodeIdentities, TemplatedPolicies].flat();
            return [
              name,
              {
                rules: policy?.Rules,
                policy: idIn(policy?.ID),
                token: idIn(token?.AccessorID),
                given:
                  token?.Policies?.map((one) => one.Name).join() === name && !more.some(Boolean),
              },
            ];
          }),
        );
      },
    }),

    grant(name, rules, { policy, token }) {
      const { body } = tokenFiles(name);
      const document = printed({ Name: name, Description: "Written by pgherd.", Rules: rules });
      return `took() {
  case $answer in *'
200') return ;; esac
  printf 'expected Consul to take the %s ${name}, got: %s\\n' "$1" "$answer" >&2
  exit 1
}
answer=$({ ${document}
} | ${put(policy ? `/policy/${policy}` : "/policy", "@-")})
took policy
answer=$(${put(token ? `/token/${token}` : "/token", `@${body}`)})
took token`;
    },
  };
}
