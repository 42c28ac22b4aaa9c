import { Struct } from "google-protobuf/google/protobuf/struct_pb";

/** A JSON value as the engine sends it. `UNKNOWN` stands where a value is known only after an update. */
export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };

/** The properties of a resource. */
export type Values = { [key: string]: Value };

/** The engine's word for "known only after the update" (sdk/go/common/resource/plugin/rpc.go, UnknownStringValue). */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether any part of the value is known only after the update. */
export function isUnknown(value: Value | undefined): boolean {
  if (value === UNKNOWN) return true;
  if (Array.isArray(value)) return value.some(isUnknown);
  if (value !== null && typeof value === "object") return Object.values(value).some(isUnknown);
  return false;
}

/** The properties in a protobuf struct; none if it is absent. What they do not have is not there, whatever it is called. */
export function fromStruct(struct: Struct | undefined): Values {
  return bare((struct?.toJavaScript() ?? {}) as Values) as Values;
}

function bare(value: Value): Value {
  if (Array.isArray(value)) return value.map(bare);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, bare(inner)] as const);
  return Object.assign(Object.create(null) as Values, Object.fromEntries(entries));
}

/** The properties as a protobuf struct. What is `undefined` is left out: a struct cannot hold it. */
export function toStruct(values: object): Struct {
  return Struct.fromJavaScript(JSON.parse(JSON.stringify(values)));
}

/** Whether two values are the same, whatever the order of their keys. An absent value equals `null`. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === undefined || a === null || b === undefined || b === null)
    return (a ?? b ?? null) === null;
  if (typeof a !== "object" || typeof b !== "object") return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = a as { [key: string]: unknown };
  const right = b as { [key: string]: unknown };
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) =>
    sameValue(left[key], right[key]),
  );
}

/** A text that is the same for values that have the same keys in any order. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
