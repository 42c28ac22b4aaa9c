import { hereDocument, quote, words } from "../../host/shell";
import { NO_ANSWER } from "../no-answer";

/** Seconds that a member has to answer: one that has a majority needs far less than one. */
const SECONDS = 5;

/**
 * Asks the first member that answers, and prints what it says. One that takes part in no majority does not, nor does one
 * that is frozen or cut off. What was asked of a member that is not heard of any more is asked of the next one as well.
 * @param path of etcd's JSON gateway, `/v3/kv/range`, which is there from 3.4 on
 * (https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/). Keys and values are in Base64 there, numbers in quotes.
 */
export function request(endpoints: readonly string[], path: string, body: object): string {
  // Two parentheses at the beginning of a substitution would be arithmetic.
  return `{ (
body=$(cat ${hereDocument(`${JSON.stringify(body)}\n`)})
said=
for url in ${words(endpoints)}; do
  # The next one may answer; what this one said is told if none does.
  answer=$(printf %s "$body" | curl -sS --connect-timeout 2 --max-time ${SECONDS} -d @- "$url"${quote(path)} 2>&1) || :
  case $answer in *'"header"'*) printf '%s\\n' "$answer"; exit ;; esac
  said="$said
$url: $answer"
done
echo "expected an answer from etcd, got:$said" >&2
exit ${NO_ANSWER}
); }`;
}
