import { sameValue, type Value, type Values } from "../rpc/values";
import type { Diff } from "../rpc/server";

/**
 * Where the state differs from the inputs, as precise as a user wants to see it. Properties of the state that are no
 * inputs were learned from the hosts and never differ.
 * @param identity inputs that make it another resource.
 */
export function difference(state: Values, inputs: Values, identity: readonly string[]): Diff {
  const changes: { [path: string]: "add" | "update" | "delete" | "replace" } = {};
  const walk = (path: string, old: Value | undefined, wanted: Value | undefined) => {
    if (isPlainObject(old) && isPlainObject(wanted)) {
      for (const key of new Set([...Object.keys(old), ...Object.keys(wanted)])) {
        walk(join(path, key), old[key], wanted[key]);
      }
    } else if (Array.isArray(old) && Array.isArray(wanted)) {
      Object.assign(changes, listChanges(path, old, wanted));
    } else if (!sameValue(old, wanted)) {
      changes[path] = old === undefined ? "add" : wanted === undefined ? "delete" : "update";
    }
  };
  for (const key of Object.keys(inputs)) {
    if (identity.includes(key)) {
      if (!sameValue(state[key], inputs[key])) changes[key] = "replace";
    } else {
      walk(key, state[key], inputs[key]);
    }
  }
  return { changes };
}

/**
 * A difference as a preview shows it: without inputs that follow from other resources'. Where nothing is left, the cluster's
 * name stands for it: the engine prints the whole resource if no path is given (pulumi/pkg/backend/display/diff.go,
 * TranslateDetailedDiff without a result). Its own `hideDiffs` names what is hidden at every refresh, changed or not.
 * @param derived the inputs that follow from others.
 */
export function shown({ changes, ...rest }: Diff, derived: readonly string[]): Diff {
  const paths = Object.entries(changes);
  const left = paths.filter(([path]) => !derived.includes(path.split(/[.[]/)[0] ?? path));
  const seen = left.length > 0 || paths.length === 0 ? left : [["cluster", "update"]];
  return { ...rest, changes: Object.fromEntries(seen) as Diff["changes"] };
}

/** What has come to a list and what has gone: by its number, all that stands behind it would have changed too. */
function listChanges(path: string, old: readonly Value[], wanted: readonly Value[]) {
  const beyond = (all: readonly Value[], others: readonly Value[]) => {
    const left = [...others];
    return all.flatMap((one, at) => {
      const same = left.findIndex((other) => sameValue(one, other));
      if (same >= 0) left.splice(same, 1);
      return same >= 0 ? [] : [`${path}[${at}]`];
    });
  };
  const come = beyond(wanted, old);
  const gone = beyond(old, wanted);
  if (come.length + gone.length === 0) return sameValue(old, wanted) ? {} : { [path]: "update" };
  return Object.fromEntries([
    ...gone.map((at) => [at, "delete"]),
    ...come.map((at) => [at, gone.includes(at) ? "update" : "add"]),
  ]) as Diff["changes"];
}

/** Pulumi's property paths: `files["/etc/default/etcd"].content`. */
function join(path: string, key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key)
    ? `${path}.${key}`
    : `${path}[${JSON.stringify(key)}]`;
}

function isPlainObject(value: Value | undefined): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
