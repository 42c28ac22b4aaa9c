import type { Diff, Provider, ResourceId } from "../../src/rpc/server";
import { isUnknown, sameValue, UNKNOWN, type Value, type Values } from "../../src/rpc/values";
import { kinds, type Kind } from "./random-kinds";

/** The official plugin that this one stands in for, and whose states it reads and writes. */
export const VERSION = "4.21.2";

/**
 * The `random` provider, for machines where the official plugin cannot be had: the same types, inputs, outputs, ids and
 * defaults (terraform-provider-random 3.8 behind pulumi-random 4.21.2), so that a stack made with one opens with the
 * other without a difference.
 */
export const randomProvider: Provider = {
  async configure() {},
  async check(id, inputs) {
    return { inputs, failures: kindOf(id).check(inputs) };
  },
  async diff(id, state, inputs) {
    return compare(kindOf(id), state, inputs);
  },
  async create(id, inputs, preview) {
    const kind = kindOf(id);
    if (preview) {
      const unknown = Object.fromEntries(kind.outputs.map((name) => [name, UNKNOWN]));
      return { id: "", state: stateOf(kind, inputs, unknown) };
    }
    const generated = await kind.generate(kind.complete(inputs));
    return { id: generated.id, state: stateOf(kind, inputs, generated.outputs) };
  },
  async read(id, resource, state, inputs) {
    if (Object.keys(state).length > 0) return { id: resource, state, inputs };
    const kind = kindOf(id);
    const imported = await kind.import(resource);
    return {
      id: imported.id,
      state: stateOf(kind, imported.inputs, imported.outputs),
      inputs: imported.inputs,
    };
  },
  async update(id, _resource, state, inputs) {
    const kind = kindOf(id);
    const outputs = Object.entries(state).filter(([name]) => kind.outputs.includes(name));
    return stateOf(kind, inputs, Object.fromEntries(outputs));
  },
  async delete() {},
  async cancel() {},
};

/** How the engine marks a secret (sdk/go/common/resource, SigKey and SecretSig). */
const SECRET = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

function kindOf({ type }: ResourceId): Kind {
  const kind = kinds[type];
  if (kind) return kind;
  throw new Error(
    `${type}: expected one of ${Object.keys(kinds).join(", ")}; pgherd's stand-in for the random plugin has no other.\n` +
      `Next: pulumi plugin install resource random v${VERSION}, then tools/setup, which then uses the official one.`,
  );
}

function stateOf(kind: Kind, inputs: Values, outputs: Values): Values {
  const secrets = Object.entries(outputs).map(([name, value]) => [
    name,
    kind.secrets.includes(name) ? { ...SECRET, value } : value,
  ]);
  const meta = kind.schemaVersion
    ? { __meta: JSON.stringify({ schema_version: kind.schemaVersion }) }
    : {};
  return { ...meta, ...kind.complete(inputs), ...Object.fromEntries(secrets) };
}

function compare(kind: Kind, state: Values, inputs: Values): Diff {
  const wanted = kind.complete(inputs);
  // A state may come from an older version that did not write the defaults down.
  const present = kind.complete(
    Object.fromEntries(
      kind.inputs.flatMap((name) => (name in state ? [[name, state[name]!]] : [])),
    ),
  );
  const changed = kind.inputs.filter((name) => !sameValue(present[name], wanted[name]));
  return {
    changes: Object.fromEntries(
      changed.map((name) => [name, changeOf(name, present[name], wanted[name])]),
    ),
    deleteBeforeReplace: false,
  };
}

/** Any other argument makes another value. These two may change in a way that does not: then the value stays. */
function changeOf(name: string, before: Value | undefined, after: Value | undefined) {
  if (isUnknown(after)) return "replace";
  if (name === "overrideSpecial" && before === "" && after === undefined) return "update";
  if (name === "keepers" && sameValue(withoutNulls(before), withoutNulls(after))) return "update";
  return "replace";
}

function withoutNulls(map: Value | undefined): Value {
  return Object.fromEntries(
    Object.entries((map ?? {}) as Values).filter(([, value]) => value !== null),
  );
}
