import { words } from "../../host/shell";
import { decoded, encoded } from "../base64";
import type { Dcs, DcsPlace } from "../dcs";
import { prefixOf, type Standing } from "../existing";
import { jsonOf } from "../../facts/json";
import { clientOf } from "./request";

/** Changes of a key are counted from 1 on: no key has had as many. */
const NEVER = "9223372036854775807";

/** How a cluster stands with an etcd of somebody else's. */
export function standingAt(place: DcsPlace): Pick<Dcs, "standingProbe"> {
  const { begin, ask } = clientOf(place);
  const { endpoints } = place;
  return {
    standingProbe(cluster) {
      const own = `${prefixOf(place.existing)}${cluster}`;
      const page = (path: string, body: object) =>
        `{ ${ask('"$url"')} -sS --connect-timeout 2 --max-time 5 -d ${words([JSON.stringify(body)])} "$url"${path} 2>&1 | tr '\\n' ' '; echo; }`;
      return {
        // Of the first that answers the rest is asked. A page in one line, behind what it is of.
        script: `${begin}for url in ${words(endpoints)}; do
  answer=$(${page("/v3/kv/range", { key: encoded(`${own}/initialize`) })})
  printf 'key %s %s\\n' "$url" "$answer"
  case $answer in *'"header"'*) [ -n "\${first:-}" ] || first=$url ;; esac
done
url=\${first:-}
if [ -n "$url" ]; then
  printf 'version '
  ${ask('"$url"')} -sS --connect-timeout 2 --max-time 5 "$url"/version 2>&1 | tr '\\n' ' '
  printf '\\nown '
  ${page("/v3/kv/txn", neverPut(`${own}/pgherd-rights`))}
  printf 'others '
  ${page("/v3/kv/txn", neverPut("/pgherd-rights-of-others"))}
fi`,
        parse: (output) => read(output, endpoints),
      };
    },
  };
}

/** Writes under a condition that never holds: etcd judges first whether it would be allowed (auth/store.go, checkTxnAuth). */
function neverPut(key: string): object {
  const compare = [{ key: encoded(key), target: "MOD", result: "EQUAL", modRevision: NEVER }];
  return { compare, success: [{ requestPut: { key: encoded(key), value: encoded("") } }] };
}

function read(output: string, endpoints: readonly string[]): Standing {
  const lines = output.split("\n");
  const of = (what: string) =>
    lines.find((line) => line.startsWith(`${what} `))?.slice(what.length + 1) ?? "";
  const keys = endpoints.map((url) => ({ url, answer: of(`key ${url}`) }));
  const answering = keys.filter(({ answer }) => answered(answer));
  const kvs = answering[0] && (json(answering[0].answer)?.kvs as { value?: string }[] | undefined);
  const refused = keys.filter(({ answer }) => /permission denied/.test(answer));
  const said = keys.map(({ url, answer }) => `${url}: ${answer.trim() || "nothing"}`).join("; ");
  return {
    answering: [...answering, ...refused].map(({ url }) => url),
    said,
    version: String(json(of("version"))?.etcdserver ?? "") || undefined,
    may: answered(of("own")) || (refused[0]?.answer.trim() ?? of("own").trim()),
    mayMore: answered(of("others")),
    // Leases of a second are given.
    leastTtl: 1,
    systemIdentifier: kvs?.[0] && decoded(kvs[0].value ?? ""),
  };
}

function answered(answer: string): boolean {
  return json(answer)?.header !== undefined;
}

function json(text: string): Record<string, unknown> | undefined {
  return jsonOf(text) as Record<string, unknown> | undefined;
}
