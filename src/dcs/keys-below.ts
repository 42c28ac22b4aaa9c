import type { DcsKeys } from "./dcs";

/** Keys by their names below a prefix: `/service/`. */
export function keysBelow(prefix: string, keys: DcsKeys): DcsKeys {
  const whole = (key: string) => `${prefix}${key}`;
  return {
    keyProbe: (key) => keys.keyProbe(whole(key)),
    printKey: (key) => keys.printKey(whole(key)),
    setKey: (key, value) => keys.setKey(whole(key), value),
    setAbsentKey: (key, value) => keys.setAbsentKey(whole(key), value),
    changeKey: (key, value, revision, others = {}) =>
      keys.changeKey(
        whole(key),
        value,
        revision,
        Object.fromEntries(Object.entries(others).map(([one, text]) => [whole(one), text])),
      ),
    deleteKey: (key, revision) => keys.deleteKey(whole(key), revision),
    deleteKeys: (below, except) =>
      keys.deleteKeys(whole(below), except === undefined ? undefined : whole(except)),
  };
}
