import { etcdctl } from "../facts/etcd";
import { hereDocument } from "../host/shell";

/**
 * Sets a key, but only if nobody has changed it since it was read: a lost race is an error, not an overwritten value.
 * @param revision of the value that was read; "0" if there was none.
 */
export function setKey(
  endpoints: readonly string[],
  key: string,
  value: string,
  revision: string,
): string {
  const transaction = `mod(${JSON.stringify(key)}) = ${JSON.stringify(revision)}\n\nput ${JSON.stringify(key)} ${JSON.stringify(value)}\n\n\n`;
  return `answer=$(${etcdctl(endpoints)} txn ${hereDocument(transaction)}) || exit 1\ncase "$answer" in SUCCESS*) ;; *) echo "somebody else changed ${key} at the same moment; run again" >&2; exit 1;; esac`;
}
