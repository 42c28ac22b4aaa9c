import { hereDocument, quote, words } from "../../host/shell";
import type { DcsPlace } from "../dcs";
import { accessFiles } from "../existing";
import { NO_ANSWER } from "../no-answer";

/** Seconds that a member has to answer: one that has a majority needs far less than one. */
const SECONDS = 5;

/**
 * Asks the first member that answers, and prints what it says. One that takes part in no majority does not, nor does one
 * that is frozen or cut off. What was asked of a member that is not heard of any more is asked of the next one as well.
 * @param path of etcd's JSON gateway, `/v3/kv/range`, which is there from 3.4 on
 * (https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/). Keys and values are in Base64 there, numbers in quotes.
 */
export function request(place: DcsPlace, path: string, body: object): string {
  const { begin, ask } = clientOf(place);
  // Two parentheses at the beginning of a substitution would be arithmetic.
  return `{ (
${begin}body=$(cat ${hereDocument(`${JSON.stringify(body)}\n`)})
said=
for url in ${words(place.endpoints)}; do
  # The next one may answer; what this one said is told if none does.
  answer=$(printf %s "$body" | ${ask('"$url"')} -sS --connect-timeout 2 --max-time ${SECONDS} -d @- "$url"${quote(path)} 2>&1) || :
  case $answer in *'"header"'*) printf '%s\\n' "$answer"; exit ;; esac
  said="$said
$url: $answer"
done
echo "expected an answer from etcd, got:$said" >&2
exit ${NO_ANSWER}
); }`;
}

/** How a member is asked for a page, in words of the shell: lines that come first, and a command that options of curl follow. */
export interface EtcdClient {
  readonly begin: string;
  /** @param url of the member, quoted. */
  ask(url: string): string;
}

/**
 * What asks a member. Where it is somebody else's, by his certificates, and as the user that the stack names, if it names one: he
 * is let in for each question anew, since a token is valid for five minutes and for one member
 * (https://etcd.io/docs/v3.5/op-guide/authentication/authentication/).
 */
export function clientOf({ existing }: DcsPlace): EtcdClient {
  if (!existing) return { begin: "", ask: () => "curl" };
  const { curl, login } = accessFiles(existing.access);
  return {
    begin: `known() {
  member=$1
  shift
  if [ ! -e ${quote(login)} ]; then curl -K ${quote(curl)} "$@"; return; fi
  # What it says in place of a token is told.
  said=$(curl -K ${quote(curl)} -sS --connect-timeout 2 --max-time ${SECONDS} -d @${quote(login)} "$member/v3/auth/authenticate" 2>&1) || :
  token=$(printf '%s\\n' "$said" | sed -n 's/.*"token": *"\\([^"]*\\)".*/\\1/p')
  if [ -z "$token" ]; then printf '%s\\n' "$said" >&2; return 1; fi
  # Not among the arguments, which everybody on the host can read; what is asked may come by the standard input.
  curl -K ${quote(curl)} -H @/dev/fd/3 "$@" 3<<TOKEN
Authorization: $token
TOKEN
}
`,
    ask: (url) => `known ${url}`,
  };
}
