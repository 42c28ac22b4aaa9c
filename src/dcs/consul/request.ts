import { FactError } from "../../errors";
import { hereDocument, words } from "../../host/shell";
import { NO_ANSWER } from "../no-answer";
import type { DcsPlace } from "../dcs";
import { identityOf, localAgent, MANAGEMENT_FILE, TOKEN_FILE } from "./local";

/** Seconds that the agent has to answer; one without a leader says so after seven of its own (its `rpc_hold_timeout`). */
const SECONDS = 9;

/**
 * A command that prints what a page of the agent says, a new line, and the code of its answer; where it does not answer, what
 * curl says of that.
 * @param identity a file with a header, or with options of curl (`.conf`).
 * @param url may hold variables of the shell.
 */
export function page(identity: string, url: string, ...options: readonly string[]): string {
  const curl = `curl -sS --connect-timeout 2 --max-time ${SECONDS} -w '\\n%{http_code}'`;
  // There is no code then, which whoever reads it takes for no answer.
  return `{ ${curl} ${words([...optionsOf(identity), ...options])} "${url}" 2>&1 || :; }`;
}

/**
 * The same of a page that pgherd's token lets an operator read. Where somebody has taken that right away, which the run gives
 * back, servers have another one: a cluster that cannot be asked would be taken for none.
 */
export function operatorPage(url: string): string {
  return `{ answer=$(${page(TOKEN_FILE, url)})
case $answer in *'
403')
  if [ -e ${MANAGEMENT_FILE} ]; then answer=$(${page(MANAGEMENT_FILE, url)}); fi ;;
esac
printf '%s\\n' "$answer"
}`;
}

/**
 * Asks the host's own agent, and prints what it says: nothing where there is no such key. A refusal by a condition of a
 * transaction (409) is an answer like others; one by the rights of the token has the same code, and is none. Whether nobody
 * leads or the agent is away, another host may get an answer.
 * @param path below `/v1`: `/kv/service/demo/config?consistent`
 * @param body of a request that changes something: a command of the shell that prints it.
 */
export function request(place: DcsPlace, path: string, body?: string): string {
  const url = `${localAgent(place)}/v1${path}`;
  const identity = identityOf(place);
  const look = path.startsWith("/operator/") ? operatorPage(url) : page(identity, url);
  const ask =
    body === undefined
      ? look
      : `{ ${body}\n} | ${page(identity, url, "-X", "PUT", "--data-binary", "@-")}`;
  // Two parentheses at the beginning of a substitution would be arithmetic.
  return `{ (
answer=$(${ask})
code=$(printf '%s\\n' "$answer" | tail -n 1)
case $answer in *"Permission denied"*) code=403 ;; esac
case $code in
  200 | 404 | 409) printf '%s\\n' "$answer" | sed '$d'; exit ;;
  403) echo "Consul refuses ${place.existing ? "the stack's token" : "pgherd's token"} for ${path.replace(/\?.*/, "")}: $answer. ${place.existing ? GIVE_RIGHTS : "pulumi up gives the token its rights again."}" >&2; exit 1 ;;
esac
echo "expected an answer from Consul's agent at ${localAgent(place)}, got: $answer" >&2
exit ${NO_ANSWER}
); }`;
}

const GIVE_RIGHTS = "docs/existing-dcs.md says which ones it needs.";

/** The option of curl that takes such a file, and its value. */
export function optionsOf(identity: string): [option: string, value: string] {
  return identity.endsWith(".conf") ? ["-K", identity] : ["-H", `@${identity}`];
}

/** A command that prints a document. */
export function printed(document: object): string {
  return `cat ${hereDocument(`${JSON.stringify(document)}\n`)}`;
}

/** A function of the shell that puts a page into one line, behind what it is of. Nothing secret leaves the host. */
export const tellOnly = `told() { printf '%s ' "$1"; sed 's/"SecretID":"[^"]*",*//g' | tr '\\n' ' '; echo; }`;

/** What that has put out, by what it is of: the pages that came with 200. */
export function told(output: string): ReadonlyMap<string, readonly unknown[]> {
  const pages = new Map<string, unknown[]>();
  for (const line of output.split("\n")) {
    const [, of = "", text = "", code] = /^(\S+) (.*?)\s*(\d{3}) *$/.exec(line) ?? [];
    if (code === "200") pages.set(of, [...(pages.get(of) ?? []), JSON.parse(text)]);
  }
  return pages;
}

/**
 * An id goes into a script of root's. Whatever answers in Consul's place may call anything so.
 * @throws FactError if it is none.
 */
export function idIn(id: string | undefined): string | undefined {
  if (id === undefined || /^[0-9a-f-]{36}$/.test(id)) return id;
  throw new FactError(
    "expected an id of Consul's, such as 6f1ed002-ab5d-4b2e-a0c1-1f0e2d3c4b5a, got another text.",
  );
}
