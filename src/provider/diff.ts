import { isUnknown, sameValue, type Value, type Values } from "../rpc/values";
import type { Diff } from "../rpc/server";

/**
 * Where the state differs from the inputs, as precise as a user wants to see it. Properties of the state that are no
 * inputs were learned from the hosts and never differ.
 * @param identity inputs that make it another resource.
 */
export function difference(state: Values, inputs: Values, identity: readonly string[]): Diff {
  const changes: { [path: string]: "add" | "update" | "delete" | "replace" } = {};
  const walk = (path: string, old: Value | undefined, wanted: Value | undefined) => {
    if (isPlainObject(old) && isPlainObject(wanted) && !isUnknown(wanted)) {
      for (const key of new Set([...Object.keys(old), ...Object.keys(wanted)])) {
        walk(join(path, key), old[key], wanted[key]);
      }
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

/** Pulumi's property paths: `files["/etc/default/etcd"].content`. */
function join(path: string, key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key)
    ? `${path}.${key}`
    : `${path}[${JSON.stringify(key)}]`;
}

function isPlainObject(value: Value | undefined): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
