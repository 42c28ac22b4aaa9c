import { sameValue, type Value, type Values } from "../rpc/values";

/**
 * Where the engine keeps what stands in an abridged form elsewhere in the same properties. It shows no property whose name
 * begins so, and hands all of them on (sdk/go/common/resource, IsInternalPropertyKey; pkg/backend/display, printObject).
 */
const REST = "__rest";

/**
 * Inputs with short forms in place of what the last run had none of: Pulumi prints whatever is new in full, and for a new
 * host that is hundreds of lines. Nothing is lost: `whole` takes them back.
 * @param short forms by input, or by key of an input that is an object; undefined: out of sight. Never of what may be secret,
 * since the engine knows a secret by its place.
 * @param before the inputs of the last run; none in the first.
 */
export function abridge(
  inputs: Values,
  short: { readonly [name: string]: Value | undefined },
  before: Values,
): Values {
  const shown = { ...inputs };
  const rest: Values = {};
  for (const [name, form] of Object.entries(short)) {
    const full = inputs[name];
    if (full === undefined || sameValue(full, form)) continue;
    const known = before[name] ?? undefined;
    if (isObject(full) && isObject(form) && (known === undefined || isObject(known))) {
      const fresh = Object.keys(full).filter(
        (key) => known?.[key] === undefined && !sameValue(full[key], form[key]),
      );
      if (fresh.length === 0) continue;
      shown[name] = without({ ...full, ...pick(form, fresh) }, (value) => value === undefined);
      rest[name] = pick(full, fresh);
    } else if (known === undefined) {
      if (form === undefined) delete shown[name];
      else shown[name] = form;
      rest[name] = full;
    }
  }
  return Object.keys(rest).length > 0 ? { ...shown, [REST]: rest } : inputs;
}

/** Properties as they are, abridged or not. */
export function whole(values: Values): Values {
  const { [REST]: rest, ...shown } = values;
  if (!isObject(rest)) return values;
  for (const [name, full] of Object.entries(rest)) {
    const form = shown[name];
    shown[name] = isObject(full) && isObject(form) ? { ...form, ...full } : full;
  }
  return shown;
}

function pick(values: Values, keys: readonly string[]): Values {
  return Object.fromEntries(keys.map((key) => [key, values[key] as Value]));
}

function without(values: Values, drop: (value: Value | undefined) => boolean): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => !drop(value)));
}

function isObject(value: Value | undefined): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
