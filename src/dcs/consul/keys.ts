import { decoded, encoded } from "../base64";
import type { DcsKeys, DcsPlace } from "../dcs";
import { printed, request } from "./request";

/** https://developer.hashicorp.com/consul/api-docs/kv#read-key */
type Found = readonly { readonly Value: string | null; readonly ModifyIndex: number }[];

/** An operation of a transaction: https://developer.hashicorp.com/consul/api-docs/txn */
interface Operation {
  readonly Verb: "set" | "cas" | "delete-cas" | "delete-tree";
  readonly Key: string;
  readonly Value?: string;
  readonly Index?: number;
}

/** Keys of Consul. All changes are transactions: their values travel in Base64, and a lost race is told from trouble. */
export function keysAt(place: DcsPlace): DcsKeys {
  const read = (key: string) => request(place, `/kv/${encodeURI(bare(key))}?consistent`);
  const transaction = (...operations: readonly Operation[]) =>
    request(place, "/txn", printed(operations.map((KV) => ({ KV }))));
  return {
    keyProbe: (key) => ({
      script: read(key),
      parse(output) {
        const [found] = output.trim() ? (JSON.parse(output) as Found) : [];
        return found && { value: decoded(found.Value ?? ""), revision: String(found.ModifyIndex) };
      },
    }),
    printKey: (key) => `answer=$(${read(key)}) || exit
printf '%s\\n' "$answer" | sed -n ${VALUE} | base64 -d`,
    setKey: (key, value) => `${transaction(set(key, value))} >/dev/null`,
    setAbsentKey: (key, value) => `${transaction(set(key, value, "0"))} >/dev/null`,
    changeKey: (key, value, revision, others = {}) => {
      const more = Object.entries(others).map(([one, text]) => set(one, text));
      // What stands there instead, if it was changed: it may be this very value, by a request that nobody has heard of.
      return `answer=$(${transaction(set(key, value, revision), ...more)}) || exit
case $answer in
  *'"Errors":null'*) ;;
  *)
    found=$(${read(key)}) || exit
    found=$(printf '%s\\n' "$found" | sed -n ${VALUE})
    if [ "$found" != '${encoded(value)}' ]; then
      echo "somebody else changed ${key} at the same moment; run again" >&2
      exit 1
    fi
    ;;
esac`;
    },
    deleteKey: (key, revision) =>
      `${transaction({ Verb: "delete-cas", Key: bare(key), Index: Number(revision) })} >/dev/null`,
    deleteKeys: (prefix, except) => {
      const all: Operation = { Verb: "delete-tree", Key: bare(prefix) };
      if (except === undefined) return `${transaction(all)} >/dev/null`;
      // No verb spares a key of a tree: it is put back in the same moment, if nobody has changed it since it was read.
      const parts = [
        `{"KV":{"Verb":"check-index","Key":"${bare(except)}","Index":%s}}`,
        JSON.stringify({ KV: all }).replaceAll("%", "%%"),
        `{"KV":{"Verb":"set","Key":"${bare(except)}","Value":"%s"}}`,
      ];
      const body = `printf '[${parts.join(",")}]' "$index" "$content"`;
      return `answer=$(${read(except)}) || exit
content=$(printf '%s\\n' "$answer" | sed -n ${VALUE})
index=$(printf '%s\\n' "$answer" | sed -n ${REVISION})
if [ -z "$index" ]; then
  ${transaction(all)} >/dev/null
else
  said=$(${request(place, "/txn", body)}) || exit
  case $said in
    *'"Errors":null'*) ;;
    *) echo "somebody else changed ${except} at the same moment; run again" >&2; exit 1 ;;
  esac
fi`;
    },
  };
}

/** What finds the value and the index of the last change in an answer that has one key at most; the value still in Base64. */
const VALUE = `'s/.*"Value":"\\([A-Za-z0-9+/=]*\\)".*/\\1/p'`;
const REVISION = `'s/.*"ModifyIndex":\\([0-9]*\\).*/\\1/p'`;

/** @param revision that the key still has; "0" if there is no such key. Without one, whatever there is. */
function set(key: string, value: string, revision?: string): Operation {
  const content = { Key: bare(key), Value: encoded(value) };
  return revision === undefined
    ? { Verb: "set", ...content }
    : { Verb: "cas", ...content, Index: Number(revision) };
}

/** Consul's keys begin with no slash; Patroni leaves it out as well (patroni/dcs/consul.py, `client_path`). */
function bare(key: string): string {
  return key.replace(/^\//, "");
}
