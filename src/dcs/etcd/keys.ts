import { decoded, encoded } from "../base64";
import type { DcsKeys, DcsPlace } from "../dcs";
import { request } from "./request";

/** https://etcd.io/docs/v3.5/dev-guide/api_reference_v3/, `RangeResponse` */
interface RangeAnswer {
  readonly kvs?: readonly { readonly value?: string; readonly mod_revision: string }[];
}

/** Keys of etcd. */
export function keysAt(place: DcsPlace): DcsKeys {
  const range = (key: string) => request(place, "/v3/kv/range", { key: encoded(key) });
  const transaction = (body: object) => request(place, "/v3/kv/txn", body);
  return {
    keyProbe: (key) => ({
      script: range(key),
      parse(output) {
        const found = (JSON.parse(output) as RangeAnswer).kvs?.[0];
        return found && { value: decoded(found.value ?? ""), revision: found.mod_revision };
      },
    }),
    printKey: (key) => `answer=$(${range(key)}) || exit
printf '%s\\n' "$answer" | sed -n ${VALUE} | base64 -d`,
    setKey: (key, value) =>
      `${request(place, "/v3/kv/put", { key: encoded(key), value: encoded(value) })} >/dev/null`,
    setAbsentKey: (key, value) =>
      `${transaction({ compare: [unchanged(key, "0")], success: [put(key, value)] })} >/dev/null`,
    changeKey: (key, value, revision, others = {}) => {
      // What stands there instead, if it was changed: it may be this very value, by a request that nobody has heard of.
      const failure = [{ requestRange: { key: encoded(key) } }];
      const success = Object.entries({ [key]: value, ...others }).map(([one, text]) =>
        put(one, text),
      );
      const change = { compare: [unchanged(key, revision)], success, failure };
      return `answer=$(${transaction(change)}) || exit
found=$(printf '%s\\n' "$answer" | sed -n ${VALUE})
case $answer in
  *'"succeeded":true'* | *'"succeeded": true'*) ;;
  *)
    if [ "$found" != '${encoded(value)}' ]; then
      echo "somebody else changed ${key} at the same moment; run again" >&2
      exit 1
    fi
    ;;
esac`;
    },
    deleteKey: (key, revision) =>
      `${transaction({ compare: [unchanged(key, revision)], success: [remove(key)] })} >/dev/null`,
    deleteKeys: (prefix, except) => {
      const parts =
        except === undefined
          ? [remove(prefix, after(prefix))]
          : [remove(prefix, except), remove(`${except}\0`, after(prefix))];
      return `${transaction({ success: parts })} >/dev/null`;
    },
  };
}

/** What finds a value in an answer that has one at most, still in Base64. */
const VALUE = `'s/.*"value": *"\\([A-Za-z0-9+/=]*\\)".*/\\1/p'`;

/** Holds if the key's last change is this one; that of a key that is not there has the revision 0. */
function unchanged(key: string, revision: string): object {
  return { key: encoded(key), target: "MOD", result: "EQUAL", modRevision: revision };
}

function put(key: string, value: string): object {
  return { requestPut: { key: encoded(key), value: encoded(value) } };
}

/** @param end the first key behind those that are deleted; without it one key is. */
function remove(key: string, end?: string): object {
  return {
    requestDeleteRange: {
      key: encoded(key),
      ...(end !== undefined && { rangeEnd: encoded(end) }),
    },
  };
}

/** The first key behind all that begin so. */
function after(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
