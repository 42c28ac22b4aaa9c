import { hereDocument, words } from "../../host/shell";
import { NO_ANSWER } from "../no-answer";
import { localAgent, MANAGEMENT_FILE, TOKEN_FILE } from "./local";

/** Seconds that the agent has to answer; one without a leader says so after seven of its own (its `rpc_hold_timeout`). */
const SECONDS = 9;

/**
 * A command that prints what a page of the agent says, a new line, and the code of its answer; where it does not answer, what
 * curl says of that.
 * @param token a header file.
 * @param url may hold variables of the shell.
 */
export function page(token: string, url: string, ...options: readonly string[]): string {
  const curl = `curl -sS --connect-timeout 2 --max-time ${SECONDS} -w '\\n%{http_code}'`;
  // There is no code then, which whoever reads it takes for no answer.
  return `{ ${curl} ${words(["-H", `@${token}`, ...options])} "${url}" 2>&1 || :; }`;
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
export function request(endpoints: readonly string[], path: string, body?: string): string {
  const url = `${localAgent(endpoints)}/v1${path}`;
  const look = path.startsWith("/operator/") ? operatorPage(url) : page(TOKEN_FILE, url);
  const ask =
    body === undefined
      ? look
      : `{ ${body}\n} | ${page(TOKEN_FILE, url, "-X", "PUT", "--data-binary", "@-")}`;
  // Two parentheses at the beginning of a substitution would be arithmetic.
  return `{ (
answer=$(${ask})
code=$(printf '%s\\n' "$answer" | tail -n 1)
case $answer in *"Permission denied"*) code=403 ;; esac
case $code in
  200 | 404 | 409) printf '%s\\n' "$answer" | sed '$d'; exit ;;
  403) echo "Consul refuses pgherd's token for ${path.replace(/\?.*/, "")}: $answer. pulumi up gives the token its rights again." >&2; exit 1 ;;
esac
echo "expected an answer from Consul's agent at ${localAgent(endpoints)}, got: $answer" >&2
exit ${NO_ANSWER}
); }`;
}

/** A command that prints a document. */
export function printed(document: object): string {
  return `cat ${hereDocument(`${JSON.stringify(document)}\n`)}`;
}
