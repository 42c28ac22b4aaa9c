import type { Provider, ResourceId } from "../rpc/server";
import type { Value, Values } from "../rpc/values";
import { abridge, whole } from "./abridged";

/**
 * A provider as the engine meets it: to the engine what is new goes in short forms, from it everything comes whole. States are
 * whole from the beginning: what a refresh finds would be shown as something else, all of it, and a later difference not by its
 * lines. A short form is for previews, in which the engine shows inputs (pulumi/pkg/backend/display/object_diff.go).
 * @param shortForms of a resource's inputs.
 */
export function abridging(
  inner: Provider,
  shortForms: (id: ResourceId, inputs: Values) => { readonly [name: string]: Value | undefined },
): Provider {
  return {
    ...inner,
    async check(id, inputs, oldInputs, seed) {
      const before = whole(oldInputs);
      const checked = await inner.check(id, whole(inputs), before, seed);
      const short = shortForms(id, checked.inputs);
      return { ...checked, inputs: abridge(checked.inputs, short, before) };
    },
    diff(id, state, inputs, oldInputs) {
      return inner.diff(id, whole(state), whole(inputs), whole(oldInputs));
    },
    create(id, inputs, preview) {
      return inner.create(id, whole(inputs), preview);
    },
    read(id, name, state, inputs) {
      return inner.read(id, name, whole(state), whole(inputs));
    },
    update(id, name, state, inputs, preview) {
      return inner.update(id, name, whole(state), whole(inputs), preview);
    },
    delete(id, name, state) {
      return inner.delete(id, name, whole(state));
    },
  };
}
