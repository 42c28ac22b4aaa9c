import { FactError } from "../../errors";
import { words } from "../../host/shell";
import { uuidOf } from "../../uuid";
import type { DcsRights, Right } from "../dcs";
import { localAgent, MANAGEMENT_FILE, TOKEN_FILE, tokenFiles } from "./local";
import { page, printed } from "./request";

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
export function rightsAt(endpoints: readonly string[]): DcsRights {
  const api = `${localAgent(endpoints)}/v1/acl`;
  const put = (path: string, body: string) =>
    page(MANAGEMENT_FILE, `${api}${path}`, "-X", "PUT", "--data-binary", body);
  return {
    probe: (names) => ({
      script: [
        // A page in one line, behind what it is of. Nothing secret leaves the host.
        `told() { printf '%s ' "$1"; sed 's/"SecretID":"[^"]*",*//' | tr '\\n' ' '; echo; }`,
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
        const answered = output.split("\n").flatMap((line) => {
          const [, of, text, code] = /^(\S+) (.*?)\s*(\d{3}) *$/.exec(line) ?? [];
          return code === "200" ? [{ of, page: JSON.parse(text ?? "") as unknown }] : [];
        });
        const of = <Page>(what: string) =>
          answered.filter((one) => one.of === what).map(({ page }) => page as Page);
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
${
  token
    ? ""
    : `# One of before with another secret stands in its place.
${page(MANAGEMENT_FILE, `${api}/token/${uuidOf(name)}`, "-X", "DELETE")} >/dev/null`
}
answer=$(${put(token ? `/token/${token}` : "/token", `@${body}`)})
took token`;
    },

    knownProbe: () => ({
      script: `${page(TOKEN_FILE, `${api}/token/self`)} | tail -n 1`,
      parse: (output) => output.trim() === "200",
    }),
  };
}

/**
 * An id goes into a script of root's. Whatever answers in Consul's place may call anything so.
 * @throws FactError if it is none.
 */
function idIn(id: string | undefined): string | undefined {
  if (id === undefined || /^[0-9a-f-]{36}$/.test(id)) return id;
  throw new FactError(
    "expected an id of Consul's, such as 6f1ed002-ab5d-4b2e-a0c1-1f0e2d3c4b5a, got another text.",
  );
}
